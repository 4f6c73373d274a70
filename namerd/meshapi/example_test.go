package meshapi_test

import (
	"context"
	"fmt"
	"net"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/meshapi"
	"github.com/weft-mesh/weft/namerd/store/memory"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/mesh"
	"github.com/weft-mesh/weft/naming/static"
)

func Example() {
	namer, err := static.New(static.Config{Names: map[string][]string{"web": {"10.0.0.1:80"}}})
	if err != nil {
		panic(err)
	}
	store := memory.New(memory.Options{Namespaces: map[string]dtab.Dtab{"default": dtab.MustParse("/svc=>/#/static")}})
	defer store.Close()
	n, err := namerd.New(namerd.Options{Store: store, Namers: naming.Namers{{Prefix: namer.Prefix(), Namer: namer}}})
	if err != nil {
		panic(err)
	}
	defer n.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	s := meshapi.New(n, meshapi.Options{})
	served := make(chan error)
	go func() { served <- s.Serve(ln) }()

	// A proxy.
	in, err := mesh.New(mesh.Config{}, mesh.Options{
		Endpoints: func(context.Context) weft.Source[naming.State[weft.EndpointSet]] {
			at := weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: ln.Addr().String()}}}
			return weft.Const[naming.State[weft.EndpointSet]]{V: naming.Ok(at)}
		},
	})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	st, err := weft.Until(ctx, in.Bind(ctx, nil, dtab.MustPath("/svc/web")), func(st naming.State[dtab.Tree[*naming.Bound]]) bool { return st.Known })
	fmt.Println(st.Value.Value.ID, err)

	cancel()
	fmt.Println(in.Close())
	fmt.Println(s.Shutdown(context.Background()), <-served)
	// Output:
	// /#/static/web <nil>
	// <nil>
	// <nil> <nil>
}
