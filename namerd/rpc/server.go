// Package rpc is the gRPC server that the interfaces of a namerd have in common: its
// limits, its pings, and how it ends.
package rpc

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

const (
	// maxStreams is how many streams a connection may have: each name, id or
	// service that a proxy follows is one.
	maxStreams = 100_000

	// connectTimeout is how long a client may take until it has said that it speaks
	// HTTP/2.
	connectTimeout = 10 * time.Second

	// maxHeaderBytes is how long the header of a request may be.
	maxHeaderBytes = 64 << 10

	// probeAfter is the silence after which a client is asked whether it is there, and
	// probeTimeout how long it may take to answer.
	probeAfter   = 30 * time.Second
	probeTimeout = 20 * time.Second

	// minPing is the shortest time between two pings of a client. Finagle's clients
	// ping as often as they were configured to, and are not to be cut off for it.
	minPing = 10 * time.Millisecond
)

// ErrEnding is why a stream ends that the server ends: ask somebody else, or again.
var ErrEnding = status.Error(codes.Unavailable, "namerd is closing")

// Server serves what is registered with it. It is safe for concurrent use.
type Server struct {
	grpc *grpc.Server

	ctx context.Context // ends with the streams
	end context.CancelFunc
}

// New returns a Server of the services that register adds. t is the server's side of
// TLS, nil for cleartext.
func New(t *tls.Config, register func(grpc.ServiceRegistrar), more ...grpc.ServerOption) *Server {
	s := &Server{}
	s.ctx, s.end = context.WithCancel(context.Background())
	opts := []grpc.ServerOption{
		grpc.ConnectionTimeout(connectTimeout),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: probeAfter, Timeout: probeTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPing, PermitWithoutStream: true}),
		grpc.UnknownServiceHandler(unknownMethod),
	}
	if t != nil {
		opts = append(opts, grpc.Creds(credentials.NewTLS(t)))
	}
	s.grpc = grpc.NewServer(append(opts, more...)...)
	register(s.grpc)
	return s
}

// Ending reports that the streams are to end, as ErrEnding tells their clients.
func (s *Server) Ending() bool { return s.ctx.Err() != nil }

// Serve accepts connections, and closes ln in the end. It returns nil after Close
// or Shutdown, and grpc.ErrServerStopped if it was called after them.
func (s *Server) Serve(ln net.Listener) error { return s.grpc.Serve(ln) }

// Shutdown closes the listeners and ends the streams, which sends their clients to
// another namerd, and waits for the other calls. When ctx ends first it cuts the
// connections and returns the context's cause.
func (s *Server) Shutdown(ctx context.Context) error {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.grpc.GracefulStop()
	}()
	s.end()
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
		s.grpc.Stop() // GracefulStop returns then
		<-stopped
		return context.Cause(ctx)
	}
}

// Close closes the listeners, cuts all connections and waits for their calls. It
// may be called more than once.
func (s *Server) Close() error {
	s.end()
	s.grpc.Stop()
	return nil
}

// Within returns a context that ends with a call or, for ErrEnding, with the server.
func (s *Server) Within(call context.Context) (ctx context.Context, cancel func()) {
	ctx, end := context.WithCancelCause(call)
	stop := context.AfterFunc(s.ctx, func() { end(ErrEnding) })
	return ctx, func() {
		stop()
		end(nil)
	}
}

// unknownMethod answers calls of methods that there are not.
func unknownMethod(_ any, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream)
	return status.Error(codes.Unimplemented, method)
}
