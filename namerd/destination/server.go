package destination

import (
	"context"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/destination/destpb"
)

const (
	// maxStreams is how many streams a connection may have, each of them a service that
	// a proxy follows.
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

	// minPing is the shortest time between two pings of a client.
	minPing = 10 * time.Millisecond
)

// errEnding is why a stream ends that the server ends: ask somebody else, or again.
var errEnding = status.Error(codes.Unavailable, "namerd is closing")

// Server serves io.l5d.destination. It is safe for concurrent use. Close it before
// the Namerd.
type Server struct {
	namerd *namerd.Namerd
	opts   Options
	grpc   *grpc.Server

	ctx context.Context // ends with the streams
	end context.CancelFunc
}

// New returns a Server.
func New(n *namerd.Namerd, o Options) *Server {
	s := &Server{namerd: n, opts: o.withDefaults()}
	s.ctx, s.end = context.WithCancel(context.Background())
	opts := []grpc.ServerOption{
		grpc.ConnectionTimeout(connectTimeout),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: probeAfter, Timeout: probeTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPing, PermitWithoutStream: true}),
		grpc.UnknownServiceHandler(unknownMethod),
	}
	if s.opts.TLS != nil {
		opts = append(opts, grpc.Creds(credentials.NewTLS(s.opts.TLS)))
	}
	s.grpc = grpc.NewServer(append(opts, o.ServerOptions...)...)
	s.Register(s.grpc)
	return s
}

// Register adds the service to a gRPC server of the caller's, which then serves
// it. Close ends its streams.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	destpb.RegisterDestinationServer(r, &service{s: s})
}

// Serve accepts connections, and closes ln in the end. It returns nil after Close
// or Shutdown, and grpc.ErrServerStopped if it was called after them.
func (s *Server) Serve(ln net.Listener) error { return s.grpc.Serve(ln) }

// Shutdown closes the listeners and ends the streams, which sends their clients to
// another namerd. When ctx ends first it cuts the connections and returns the
// context's cause.
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

// within returns a context that ends with a call or with the server.
func (s *Server) within(call context.Context) (ctx context.Context, cancel func()) {
	ctx, end := context.WithCancelCause(call)
	stop := context.AfterFunc(s.ctx, func() { end(errEnding) })
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
