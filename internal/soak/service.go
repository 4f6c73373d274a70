package soak

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
)

// Message is a message of the service.
type Message []byte

// Codec sends Messages as they are.
type Codec struct{}

// Marshal implements encoding.Codec.
func (Codec) Marshal(v any) ([]byte, error) {
	m, ok := v.(*Message)
	if !ok {
		return nil, fmt.Errorf("soak: %T is no message", v)
	}
	return *m, nil
}

// Unmarshal implements encoding.Codec.
func (Codec) Unmarshal(data []byte, v any) error {
	m, ok := v.(*Message)
	if !ok {
		return fmt.Errorf("soak: %T is no message", v)
	}
	*m = append((*m)[:0], data...)
	return nil
}

// Name implements encoding.Codec.
func (Codec) Name() string { return "bytes" }

// The methods of the service. Both say everything again, Stream each message.
const (
	Unary  = "/soak.Echo/Unary"
	Stream = "/soak.Echo/Stream"
)

// StreamDesc is for callers of Stream.
func StreamDesc() *grpc.StreamDesc {
	return &grpc.StreamDesc{StreamName: "Stream", ServerStreams: true, ClientStreams: true, Handler: stream}
}

// NewServer returns a server of the service.
func NewServer() *grpc.Server {
	s := grpc.NewServer(grpc.ForceServerCodec(Codec{}))
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: "soak.Echo",
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Unary", Handler: unary}},
		Streams:     []grpc.StreamDesc{*StreamDesc()},
	}, nil)
	return s
}

func unary(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) { //nolint:revive // the order is grpc's
	m := &Message{}
	return m, decode(m)
}

func stream(_ any, s grpc.ServerStream) error {
	for {
		m := &Message{}
		switch err := s.RecvMsg(m); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := s.SendMsg(m); err != nil {
			return err
		}
	}
}
