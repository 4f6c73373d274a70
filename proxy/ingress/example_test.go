package ingress_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/k8s"
	"github.com/weft-mesh/weft/proxy/ingress"
)

// A proxy takes the table of a cluster, k8s.NewIngresses; this one is fixed.
func Example() {
	shop := k8s.Ingress{Namespace: "shop", Name: "edge", Rules: []k8s.Rule{
		{Host: "shop.example.com", Path: "/", PathType: k8s.Prefix, Backend: k8s.Backend{Namespace: "shop", Service: "web", PortNumber: 80}},
		{Host: "shop.example.com", Path: "/api", PathType: k8s.Prefix, Backend: k8s.Backend{Namespace: "shop", Service: "api", PortName: "http"}},
	}}
	rules, err := ingress.New(ingress.Config{},
		weft.Const[naming.State[k8s.Table]]{V: naming.Ok(k8s.Table{Ingresses: []k8s.Ingress{shop}})}, ingress.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer rules.Close()
	for _, url := range []string{"http://shop.example.com/", "http://shop.example.com/api/carts", "http://example.com/"} {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
		if err != nil {
			fmt.Println(err)
			return
		}
		id, err := rules.HTTP().Identify(req)
		fmt.Println(id.Path, err)
	}
	// Output:
	// /svc/shop/80/web <nil>
	// /svc/shop/http/api <nil>
	// / no ingress rule matches
}
