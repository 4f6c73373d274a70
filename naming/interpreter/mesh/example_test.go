package mesh_test

import (
	"context"
	"fmt"
	"net"

	"google.golang.org/grpc"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/namerdtest"
	"github.com/weft-mesh/weft/naming/interpreter/mesh"
	"github.com/weft-mesh/weft/naming/interpreter/mesh/meshpb"
)

func Example() {
	// A namerd that knows one name.
	world := namerdtest.NewWorld()
	world.Tree("/svc/web").Store(namerdtest.Leaf("/#/io.l5d.fs/web", "/"))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := grpc.NewServer()
	meshpb.RegisterInterpreterServer(server, &namerd{w: world})
	served := make(chan error)
	go func() { served <- server.Serve(ln) }()

	in, err := mesh.New(mesh.Config{}, mesh.Options{
		Endpoints: func(context.Context) weft.Source[namerdtest.Addr] { // what dst is bound to
			return weft.Const[namerdtest.Addr]{V: namerdtest.Set(ln.Addr().String())}
		},
	})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	src := in.Bind(ctx, nil, dtab.MustPath("/svc/web"))
	st, err := weft.Until(ctx, src, func(st namerdtest.Tree) bool { return !st.Pending() })
	fmt.Println(st.Value.Value.ID, err)

	cancel()
	fmt.Println(in.Close())
	server.Stop()
	<-served
	// Output:
	// /#/io.l5d.fs/web <nil>
	// <nil>
}
