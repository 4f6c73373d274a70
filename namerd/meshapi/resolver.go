package meshapi

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/mesh/meshpb"
)

// resolver is the service Resolver: the endpoints of the ids in trees.
type resolver struct {
	meshpb.UnimplementedResolverServer
	s *Server
}

// noID answers requests that do not say what they want.
func noID() *meshpb.Replicas {
	return &meshpb.Replicas{Result: &meshpb.Replicas_Failed_{Failed: &meshpb.Replicas_Failed{Message: "No ID provided"}}}
}

// addr observes what a request asks for.
func (x *resolver) addr(ctx context.Context, req *meshpb.ReplicasReq) (weft.Source[naming.State[weft.EndpointSet]], error) {
	id, err := req.GetId().Value()
	if err != nil {
		return nil, invalid("id", err)
	}
	return x.s.namerd.Addr(ctx, id), nil
}

// GetReplicas implements meshpb.ResolverServer: it waits until the endpoints are
// known.
func (x *resolver) GetReplicas(ctx context.Context, req *meshpb.ReplicasReq) (*meshpb.Replicas, error) {
	if len(req.GetId().GetElems()) == 0 {
		return noID(), nil
	}
	ctx, cancel := x.s.Within(ctx)
	defer cancel()
	src, err := x.addr(ctx, req)
	if err != nil {
		return nil, err
	}
	st, err := weft.Until(ctx, src, func(st naming.State[weft.EndpointSet]) bool { return !st.Pending() })
	if err != nil {
		return nil, over(ctx)
	}
	return meshpb.NewReplicas(st), nil
}

// StreamReplicas implements meshpb.ResolverServer. Failures are messages.
func (x *resolver) StreamReplicas(req *meshpb.ReplicasReq, out grpc.ServerStreamingServer[meshpb.Replicas]) error {
	if len(req.GetId().GetElems()) == 0 {
		return out.Send(noID())
	}
	ctx, cancel := x.s.Within(out.Context())
	defer cancel()
	src, err := x.addr(ctx, req)
	if err != nil {
		return err
	}
	var sent *meshpb.Replicas
	return each(ctx, src, func(st naming.State[weft.EndpointSet]) error {
		rsp := meshpb.NewReplicas(st)
		if sent != nil && proto.Equal(sent, rsp) {
			return nil // what was known is only doubtful now
		}
		sent = rsp
		return out.Send(rsp)
	})
}
