package meshgrpc_test

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/transport/meshgrpc"
)

// nowhere is a ClientConn's transport without one: interceptors that answer at
// once, so that what is left is the cost of getting there.
func nowhere() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUnaryInterceptor(func(context.Context, string, any, any, *grpc.ClientConn, grpc.UnaryInvoker, ...grpc.CallOption) error {
			return nil
		}),
	}
}

// What a call costs in the mesh, without gRPC.
func BenchmarkOverhead(b *testing.B) {
	w := newWorld(b, meshgrpc.Options{DialOptions: nowhere()})
	w.set("users", "10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1")
	c := w.mesh.Conn("users")
	run := func(name string, ctx context.Context) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Invoke(ctx, "/a.B/C", nil, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("plain", b.Context())
	run("dtab", weft.WithDtab(b.Context(), dtab.MustParse("/a=>/b")))
}

// The same unary call over in-memory connections, with and without the mesh.
func BenchmarkUnary(b *testing.B) {
	w := newWorld(b, meshgrpc.Options{})
	w.serve("10.0.0.1:1", nil)
	w.set("users", "10.0.0.1:1")
	cc, err := grpc.NewClient("passthrough:///10.0.0.1:1",
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(w.net.dial))
	if err != nil {
		b.Fatal(err)
	}
	defer cc.Close()
	for name, c := range map[string]grpc.ClientConnInterface{"ClientConn": cc, "mesh": w.mesh.Conn("users")} {
		stub := testgrpc.NewTestServiceClient(c)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := call(b.Context(), stub); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkServerStream(b *testing.B) {
	w := newWorld(b, meshgrpc.Options{})
	w.serve("10.0.0.1:1", nil)
	w.set("users", "10.0.0.1:1")
	cc, err := grpc.NewClient("passthrough:///10.0.0.1:1",
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(w.net.dial))
	if err != nil {
		b.Fatal(err)
	}
	defer cc.Close()
	for name, c := range map[string]grpc.ClientConnInterface{"ClientConn": cc, "mesh": w.mesh.Conn("users")} {
		stub := testgrpc.NewTestServiceClient(c)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s, err := stub.StreamingOutputCall(b.Context(), &testgrpc.StreamingOutputCallRequest{})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := receive(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
