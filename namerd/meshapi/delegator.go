package meshapi

import (
	"context"

	"google.golang.org/grpc"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/mesh/meshpb"
)

// delegator is the service Delegator: dtabs, and explanations.
type delegator struct {
	meshpb.UnimplementedDelegatorServer
	s *Server
}

type stored = naming.State[namerd.Stored]

// GetDtab implements meshpb.DelegatorServer.
func (x *delegator) GetDtab(ctx context.Context, req *meshpb.DtabReq) (*meshpb.DtabRsp, error) {
	ns, err := namespace(req.GetRoot())
	if err != nil {
		return nil, err
	}
	ctx, cancel := x.s.Within(ctx)
	defer cancel()
	st, err := weft.Until(ctx, x.s.namerd.Dtab(ctx, ns), func(st stored) bool { return !st.Pending() })
	switch {
	case err != nil:
		return nil, over(ctx)
	case !st.Known:
		return nil, failed(st.Err)
	case !st.Value.Exists:
		return nil, errRootNotFound
	}
	return newDtab(st.Value), nil
}

// StreamDtab implements meshpb.DelegatorServer. The stream ends when there is no
// such namespace any more.
func (x *delegator) StreamDtab(req *meshpb.DtabReq, out grpc.ServerStreamingServer[meshpb.DtabRsp]) error {
	ns, err := namespace(req.GetRoot())
	if err != nil {
		return err
	}
	ctx, cancel := x.s.Within(out.Context())
	defer cancel()
	var sent *namerd.Stored
	return each(ctx, x.s.namerd.Dtab(ctx, ns), func(st stored) error {
		switch {
		case st.Pending():
			return nil
		case !st.Known:
			x.s.opts.Logger.Warn("a dtab cannot be read", "namespace", ns, "err", st.Err)
			return failed(st.Err)
		case !st.Value.Exists:
			return errRootNotFound
		case sent != nil && sent.Version == st.Value.Version && sent.Dtab.Equal(st.Value.Dtab):
			return nil
		}
		sent = &st.Value
		return out.Send(newDtab(st.Value))
	})
}

func newDtab(s namerd.Stored) *meshpb.DtabRsp {
	return &meshpb.DtabRsp{Dtab: &meshpb.VersionedDtab{
		Version: &meshpb.VersionedDtab_Version{Id: []byte(s.Version)},
		Dtab:    meshpb.NewDtab(s.Dtab),
	}}
}

// GetDelegateTree implements meshpb.DelegatorServer.
func (x *delegator) GetDelegateTree(ctx context.Context, req *meshpb.DelegateTreeReq) (*meshpb.DelegateTreeRsp, error) {
	if req.GetRoot() == nil {
		return nil, errNoRoot
	}
	if req.GetTree() == nil {
		return nil, errNoName
	}
	ns, err := namespace(req.GetRoot())
	if err != nil {
		return nil, err
	}
	tree, err := req.GetTree().Value()
	if err != nil {
		return nil, invalid("tree", err)
	}
	local, err := rules(req.GetDtab())
	if err != nil {
		return nil, err
	}
	ctx, cancel := x.s.Within(ctx)
	defer cancel()
	limited, stop := context.WithTimeout(ctx, x.s.opts.ExplainTimeout)
	defer stop()
	d, err := x.s.namerd.DelegateTree(limited, ns, local, tree)
	switch {
	case ctx.Err() != nil:
		return nil, over(ctx)
	case err != nil && d.Kind == "": // not even a part of it
		return nil, failed(err)
	}
	return &meshpb.DelegateTreeRsp{Tree: meshpb.NewDelegation(d)}, nil
}

// StreamDelegateTree implements meshpb.DelegatorServer: one message, as the
// original sends.
func (x *delegator) StreamDelegateTree(req *meshpb.DelegateTreeReq, out grpc.ServerStreamingServer[meshpb.DelegateTreeRsp]) error {
	rsp, err := x.GetDelegateTree(out.Context(), req)
	if err != nil {
		return err
	}
	return out.Send(rsp)
}
