package destination

import (
	"google.golang.org/grpc"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/destination/destpb"
	"github.com/weft-mesh/weft/namerd/rpc"
)

// Server serves io.l5d.destination. It is safe for concurrent use. Close it before
// the Namerd.
type Server struct {
	*rpc.Server

	namerd *namerd.Namerd
	opts   Options
}

// New returns a Server.
func New(n *namerd.Namerd, o Options) *Server {
	s := &Server{namerd: n, opts: o.withDefaults()}
	s.Server = rpc.New(o.TLS, s.Register, o.ServerOptions...)
	return s
}

// Register adds the service to a gRPC server of the caller's, which then serves
// it. Close ends its streams.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	destpb.RegisterDestinationServer(r, &service{s: s})
}
