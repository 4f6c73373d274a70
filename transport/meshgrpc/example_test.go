package meshgrpc_test

import (
	"context"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshgrpc"
)

// serveHealth starts a health service that reports status, and returns its address.
func serveHealth(status healthpb.HealthCheckResponse_ServingStatus) (addr string, stop func()) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return "", func() {}
	}
	h := health.NewServer()
	h.SetServingStatus("", status)
	s := grpc.NewServer(
		grpc.UnaryInterceptor(meshgrpc.UnaryServerInterceptor(meshgrpc.ServerOptions{})),
		grpc.StreamInterceptor(meshgrpc.StreamServerInterceptor(meshgrpc.ServerOptions{})),
	)
	healthpb.RegisterHealthServer(s, h)
	go func() { _ = s.Serve(l) }()
	return l.Addr().String(), s.Stop
}

// A generated stub runs over a name. The dtab of one call sends it elsewhere.
func Example() {
	users, stopUsers := serveHealth(healthpb.HealthCheckResponse_SERVING)
	defer stopUsers()
	canary, stopCanary := serveHealth(healthpb.HealthCheckResponse_NOT_SERVING)
	defer stopCanary()

	// Any namer will do; this one knows two names.
	addrs := map[string]string{"users": users, "canary": canary}
	namer := naming.NamerFunc(func(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
		set := weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: addrs[p.Elem(0)]}}}
		return naming.Answer(dtab.LeafOf(naming.Fixed(p.Take(1), p.Drop(1), set)))
	})
	interp := naming.NewInterpreter(naming.Options{
		Base:   dtab.MustParse("/svc => /#/example"),
		Namers: naming.Namers{{Prefix: dtab.MustPath("/#/example"), Namer: namer}},
	})
	defer interp.Close()

	mesh, err := meshgrpc.New(meshgrpc.Options{Mesh: transport.Options{Interpreter: interp}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer mesh.Close()
	client := healthpb.NewHealthClient(mesh.Conn("users"))

	r, err := client.Check(context.Background(), &healthpb.HealthCheckRequest{})
	fmt.Println(r.GetStatus(), err)

	ctx := weft.WithDtab(context.Background(), dtab.MustParse("/svc/users => /svc/canary"))
	r, err = client.Check(ctx, &healthpb.HealthCheckRequest{})
	fmt.Println(r.GetStatus(), err)
	// Output:
	// SERVING <nil>
	// NOT_SERVING <nil>
}
