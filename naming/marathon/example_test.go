package marathon_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/marathon"
)

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/apps" {
			fmt.Fprint(w, `{"apps": [{"id": "/prod/web"}]}`)
			return
		}
		fmt.Fprint(w, `{"app": {"id": "/prod/web", "tasks": [{"host": "10.0.0.1", "ports": [31045]}]}}`)
	}))
	defer server.Close()

	namer, err := marathon.New(marathon.Config{}, marathon.Options{
		// In place of marathon.mesos:80.
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

	s, err := weft.Until(ctx, namer.Lookup(ctx, dtab.MustPath("/prod/web/users")), known)
	if err != nil {
		fmt.Println(err)
		return
	}
	bound := s.Value.Value.Bound
	set, _ := bound.Addrs(ctx).Load()
	fmt.Println(bound.ID, bound.Residual, set.Value.Endpoints[0].Addr)
	// Output: /#/io.l5d.marathon/prod/web /users 10.0.0.1:31045
}

func known(s naming.State[dtab.Tree[naming.Name]]) bool { return s.Known }
