package k8s_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/k8s"
)

// A namer asks a kubectl proxy for a service. Without Access it would use the
// service account of its pod, or the kubeconfig of its user.
func ExampleNew() {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("watch") {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		io.WriteString(w, `{"kind":"EndpointSliceList","metadata":{"resourceVersion":"7"},"items":[{
			"metadata":{"name":"users-x","namespace":"prod","labels":{"kubernetes.io/service-name":"users"}},
			"addressType":"IPv4","ports":[{"name":"http","port":8080}],"endpoints":[{"addresses":["10.0.0.1"]},{"addresses":["10.0.0.2"]}]}]}`)
	}))
	defer proxy.Close()
	defer proxy.CloseClientConnections()
	u, err := url.Parse(proxy.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		fmt.Println(err)
		return
	}
	namer, err := k8s.New(k8s.Config{Access: k8s.Access{Host: u.Hostname(), Port: port}}, k8s.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer namer.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tree, err := weft.Until(ctx, namer.Lookup(ctx, dtab.MustPath("/prod/http/users/v1")), func(s answer) bool { return s.Known })
	if err != nil {
		fmt.Println(err)
		return
	}
	bound := tree.Value.Value.Bound
	fmt.Println(bound.ID, bound.Residual)
	set, _ := bound.Addrs(ctx).Load()
	for _, e := range set.Value.Endpoints {
		fmt.Println(e.Addr)
	}
	// Output:
	// /#/io.l5d.k8s/prod/http/users /v1
	// 10.0.0.1:8080
	// 10.0.0.2:8080
}
