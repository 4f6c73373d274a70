package rancher_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/rancher"
)

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/2015-12-19/containers":
			fmt.Fprint(w, `[{"stack_name": "shop", "service_name": "web", "primary_ip": "10.42.0.1", "state": "running"}]`)
		case "/2015-12-19/version":
			if r.URL.Query().Get("value") != "initial" {
				<-r.Context().Done() // nothing changes
			}
			fmt.Fprint(w, "1")
		}
	}))
	defer server.Close()

	namer, err := rancher.New(rancher.Config{PortMappings: map[string]int{"admin": 9990}}, rancher.Options{
		// In place of rancher-metadata:80.
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer namer.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	s, err := weft.Until(ctx, namer.Lookup(ctx, dtab.MustPath("/admin/shop/web/users")), known)
	if err != nil {
		fmt.Println(err)
		return
	}
	bound := s.Value.Value.Bound
	set, _ := bound.Addrs(ctx).Load()
	fmt.Println(bound.ID, bound.Residual, set.Value.Endpoints[0].Addr)
	// Output: /#/io.l5d.rancher/admin/shop/web /users 10.42.0.1:9990
}

func known(s naming.State[dtab.Tree[naming.Name]]) bool { return s.Known }
