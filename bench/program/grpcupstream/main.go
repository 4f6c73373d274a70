// Command grpcupstream serves the gRPC calls that package load makes, with grpc-go.
// Usage: grpcupstream ADDR.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"google.golang.org/grpc"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
)

type service struct {
	testgrpc.UnimplementedTestServiceServer
}

func main() {
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", os.Args[1])
	if err == nil {
		s := grpc.NewServer()
		testgrpc.RegisterTestServiceServer(s, service{})
		err = s.Serve(ln)
	}
	fmt.Fprintln(os.Stderr, "grpcupstream:", err)
	os.Exit(1) //nolint:forbidigo // the end of a program
}

// UnaryCall answers with the payload of the request.
func (service) UnaryCall(_ context.Context, in *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
	return &testgrpc.SimpleResponse{Payload: in.GetPayload()}, nil
}

// FullDuplexCall answers each message with its payload.
func (service) FullDuplexCall(stream testgrpc.TestService_FullDuplexCallServer) error {
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&testgrpc.StreamingOutputCallResponse{Payload: in.GetPayload()}); err != nil {
			return err
		}
	}
}

// StreamingOutputCall sends one message for each set of parameters, of that size.
func (service) StreamingOutputCall(in *testgrpc.StreamingOutputCallRequest, stream testgrpc.TestService_StreamingOutputCallServer) error {
	for _, p := range in.GetResponseParameters() {
		body := &testgrpc.Payload{Body: make([]byte, p.GetSize())}
		if err := stream.Send(&testgrpc.StreamingOutputCallResponse{Payload: body}); err != nil {
			return err
		}
	}
	return nil
}
