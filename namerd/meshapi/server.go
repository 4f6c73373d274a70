package meshapi

import (
	"google.golang.org/grpc"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/rpc"
	"github.com/weft-mesh/weft/naming/interpreter/mesh/meshpb"
)

// Server serves io.l5d.mesh. It is safe for concurrent use. Close it before the
// Namerd.
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

// Register adds the services to a gRPC server of the caller's, which then serves
// them. Close ends their streams.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	meshpb.RegisterInterpreterServer(r, &interpreter{s: s})
	meshpb.RegisterResolverServer(r, &resolver{s: s})
	meshpb.RegisterDelegatorServer(r, &delegator{s: s})
	meshpb.RegisterCodecServer(r, &codec{})
}
