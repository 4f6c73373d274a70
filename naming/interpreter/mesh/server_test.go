package mesh_test

import (
	"context"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/namerdtest"
	"github.com/weft-mesh/weft/naming/interpreter/mesh"
	"github.com/weft-mesh/weft/naming/interpreter/mesh/meshpb"
	"github.com/weft-mesh/weft/naming/interpreter/remote"
)

// namerd serves a World with the generated gRPC server.
type namerd struct {
	meshpb.UnimplementedInterpreterServer
	meshpb.UnimplementedResolverServer
	meshpb.UnimplementedDelegatorServer
	w *namerdtest.World
}

func harness() namerdtest.Harness {
	return namerdtest.Harness{
		Serve: func(t *testing.T, ln net.Listener, w *namerdtest.World) func() {
			t.Helper()
			s := grpc.NewServer()
			n := &namerd{w: w}
			meshpb.RegisterInterpreterServer(s, n)
			meshpb.RegisterResolverServer(s, n)
			meshpb.RegisterDelegatorServer(s, n)
			done := make(chan struct{})
			go func() {
				defer close(done)
				s.Serve(ln)
			}()
			return func() {
				s.Stop()
				<-done
			}
		},
		New: func(s namerdtest.Settings, o remote.Options) (namerdtest.Interpreter, error) {
			return mesh.New(mesh.Config{
				Base: s.Base, RetryBase: s.RetryBase, RetryMax: s.RetryMax, MinPeriod: s.PingEvery, CloseTimeout: s.PingLimit,
				TLS: s.TLS,
			}, o)
		},
	}
}

func TestFlow(t *testing.T) { harness().Run(t) }

func path(t *meshpb.Path) string {
	p, err := t.Value()
	if err != nil {
		return err.Error()
	}
	return p.String()
}

func checkRoot(p *meshpb.Path) error {
	if path(p) != "/default" {
		return status.Errorf(codes.InvalidArgument, "Invalid root: `%s` must have exactly one segment", path(p))
	}
	return nil
}

// StreamBoundTree implements the server.
func (n *namerd) StreamBoundTree(req *meshpb.BindReq, out grpc.ServerStreamingServer[meshpb.BoundTreeRsp]) error {
	if err := checkRoot(req.GetRoot()); err != nil {
		return err
	}
	rules, err := req.GetDtab().Value()
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	name := path(req.GetName())
	defer n.w.Asked(name, rules.String())()
	namerdtest.Follow(out.Context(), n.w.Tree(name), func(st namerdtest.Tree) bool {
		if !st.Known {
			err = status.Error(codes.Internal, st.Err.Error())
			return false
		}
		err = out.Send(&meshpb.BoundTreeRsp{Tree: meshpb.NewBoundTree(st.Value)})
		return err == nil
	})
	return err
}

// StreamReplicas implements the server.
func (n *namerd) StreamReplicas(req *meshpb.ReplicasReq, out grpc.ServerStreamingServer[meshpb.Replicas]) error {
	// The original sends pending too.
	err := out.Send(&meshpb.Replicas{Result: &meshpb.Replicas_Pending_{Pending: &meshpb.Replicas_Pending{}}})
	namerdtest.Follow(out.Context(), n.w.Addr(path(req.GetId())), func(st namerdtest.Addr) bool {
		err = out.Send(meshpb.NewReplicas(st))
		return err == nil
	})
	return err
}

// StreamDtab implements the server.
func (n *namerd) StreamDtab(req *meshpb.DtabReq, out grpc.ServerStreamingServer[meshpb.DtabRsp]) error {
	err := checkRoot(req.GetRoot())
	if err != nil {
		return err
	}
	namerdtest.Follow(out.Context(), n.w.Dtab(), func(st namerdtest.Rules) bool {
		err = out.Send(&meshpb.DtabRsp{Dtab: &meshpb.VersionedDtab{
			Version: &meshpb.VersionedDtab_Version{Id: []byte("7")}, Dtab: meshpb.NewDtab(st.Value),
		}})
		return err == nil
	})
	return err
}

// GetDelegateTree implements the server.
func (n *namerd) GetDelegateTree(_ context.Context, req *meshpb.DelegateTreeReq) (*meshpb.DelegateTreeRsp, error) {
	t, err := req.GetTree().Value()
	if err != nil || t.Op != dtab.Leaf {
		return nil, status.Error(codes.NotFound, "No name given")
	}
	d, ok := n.w.Explanation(t.Value.String())
	if !ok {
		return nil, status.Error(codes.Internal, "no explanation")
	}
	return &meshpb.DelegateTreeRsp{Tree: meshpb.NewDelegation(d)}, nil
}
