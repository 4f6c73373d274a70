package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"google.golang.org/grpc"
	pb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/weft-mesh/weft/transport/meshgrpc"
)

// serve starts a server for s on a free port. The interceptors put what came with a
// call into the context of its handler.
func serve(ctx context.Context, s pb.TestServiceServer) (addr string, stop func(), err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := grpc.NewServer(
		grpc.UnaryInterceptor(meshgrpc.UnaryServerInterceptor(meshgrpc.ServerOptions{})),
		grpc.StreamInterceptor(meshgrpc.StreamServerInterceptor(meshgrpc.ServerOptions{})),
	)
	pb.RegisterTestServiceServer(server, s)
	go server.Serve(l) //nolint:errcheck // ends with stop
	return l.Addr().String(), server.Stop, nil
}

// shop is the service in the middle. Handing on the context of the call that it serves
// is all that it does for the mesh.
type shop struct {
	pb.UnimplementedTestServiceServer
	users pb.TestServiceClient
}

func (s shop) UnaryCall(ctx context.Context, req *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	resp, err := s.users.UnaryCall(ctx, req)
	if err != nil {
		return nil, err
	}
	return &pb.SimpleResponse{ServerId: "shop got: " + resp.GetServerId()}, nil
}

func (s shop) StreamingOutputCall(req *pb.StreamingOutputCallRequest, out grpc.ServerStreamingServer[pb.StreamingOutputCallResponse]) error {
	in, err := s.users.StreamingOutputCall(out.Context(), req)
	if err != nil {
		return err
	}
	for {
		msg, err := in.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		msg.Payload.Body = append([]byte("shop got: "), msg.GetPayload().GetBody()...)
		if err := out.Send(msg); err != nil {
			return err
		}
	}
}

// users is the service at the far end. It says what reached it.
type users struct {
	pb.UnimplementedTestServiceServer
	name string
}

func (u users) UnaryCall(ctx context.Context, _ *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	left := "no deadline"
	if d, ok := ctx.Deadline(); ok {
		left = time.Until(d).Round(time.Second).String() + " left"
	}
	return &pb.SimpleResponse{ServerId: u.name + ", " + left}, nil
}

func (u users) StreamingOutputCall(_ *pb.StreamingOutputCallRequest, out grpc.ServerStreamingServer[pb.StreamingOutputCallResponse]) error {
	for i := range 3 {
		body := fmt.Appendf(nil, "%s #%d", u.name, i+1)
		if err := out.Send(&pb.StreamingOutputCallResponse{Payload: &pb.Payload{Body: body}}); err != nil {
			return err
		}
	}
	return nil
}
