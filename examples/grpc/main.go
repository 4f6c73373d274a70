// Command grpc calls gRPC services by name, with the generated stubs as they are. The
// client's call has a deadline and a dtab; both get through a service in the middle
// to the one behind it, for unary calls and for streams.
//
//	client → shop → users (or users-v2)
//
//	go run ./examples/grpc
//
// It starts the services itself (grpc-go's own test service, for its stubs), and prints:
//
//	unary: shop got: users, 10s left
//	unary with /svc/users => /svc/users-v2: shop got: users-v2, 10s left
//	stream with /svc/users => /svc/users-v2: shop got: users-v2 #1
//	stream with /svc/users => /svc/users-v2: shop got: users-v2 #2
//	stream with /svc/users => /svc/users-v2: shop got: users-v2 #3
//	nobody: code Unavailable, stage bind
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/static"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshgrpc"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	namer, err := static.New(static.Config{})
	if err != nil {
		return err
	}
	names := naming.NewInterpreter(naming.Options{
		Namers: naming.Under(namer),
		Base:   dtab.MustParse("/svc => /#/static"),
	})
	defer names.Close() //nolint:errcheck // the program ends
	mesh, err := meshgrpc.New(meshgrpc.Options{Mesh: transport.Options{Interpreter: names}})
	if err != nil {
		return err
	}
	defer mesh.Close() //nolint:errcheck // the program ends

	// A Conn is what generated constructors take: mesh.Conn("users") is the name
	// /svc/users. It costs nothing and connects to nothing by itself.
	for name, service := range map[string]pb.TestServiceServer{
		"users":    users{name: "users"},
		"users-v2": users{name: "users-v2"},
		"shop":     shop{users: pb.NewTestServiceClient(mesh.Conn("users"))},
	} {
		addr, stop, err := serve(ctx, service)
		if err != nil {
			return err
		}
		defer stop()
		if err := namer.Set(name, addr); err != nil {
			return err
		}
	}
	client := pb.NewTestServiceClient(mesh.Conn("shop"))

	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	resp, err := client.UnaryCall(ctx, &pb.SimpleRequest{})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "unary:", resp.GetServerId())

	// The dtab of one call. shop is where it was; what shop calls is somewhere else.
	const rule = "/svc/users => /svc/users-v2"
	canary := weft.WithDtab(ctx, dtab.MustParse(rule))
	if resp, err = client.UnaryCall(canary, &pb.SimpleRequest{}); err != nil {
		return err
	}
	fmt.Fprintf(out, "unary with %s: %s\n", rule, resp.GetServerId())

	stream, err := client.StreamingOutputCall(canary, &pb.StreamingOutputCallRequest{})
	if err != nil {
		return err
	}
	for {
		msg, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		fmt.Fprintf(out, "stream with %s: %s\n", rule, msg.GetPayload().GetBody())
	}

	// Errors of the mesh have a gRPC status, and below it where it happened.
	_, err = pb.NewTestServiceClient(mesh.Conn("nobody")).UnaryCall(ctx, &pb.SimpleRequest{})
	if e, ok := errors.AsType[*weft.Error](err); ok {
		fmt.Fprintf(out, "nobody: code %s, stage %s\n", status.Code(err), e.Stage)
	}
	return nil
}
