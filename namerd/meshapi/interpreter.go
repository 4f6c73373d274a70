package meshapi

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/mesh/meshpb"
)

// interpreter is the service Interpreter: the trees that names are bound to.
type interpreter struct {
	meshpb.UnimplementedInterpreterServer
	s *Server
}

type binding = naming.State[namerd.Binding]

// bind observes what a request asks for.
func (x *interpreter) bind(ctx context.Context, req *meshpb.BindReq) (weft.Source[binding], error) {
	if req.GetRoot() == nil {
		return nil, errNoRoot
	}
	if len(req.GetName().GetElems()) == 0 {
		return nil, errNoName
	}
	ns, err := namespace(req.GetRoot())
	if err != nil {
		return nil, err
	}
	name, err := req.GetName().Value()
	if err != nil {
		return nil, invalid("name", err)
	}
	local, err := rules(req.GetDtab())
	if err != nil {
		return nil, err
	}
	return x.s.namerd.Bind(ctx, ns, local, name), nil
}

// GetBoundTree implements meshpb.InterpreterServer: it waits until the name is
// bound.
func (x *interpreter) GetBoundTree(ctx context.Context, req *meshpb.BindReq) (*meshpb.BoundTreeRsp, error) {
	ctx, cancel := x.s.Within(ctx)
	defer cancel()
	src, err := x.bind(ctx, req)
	if err != nil {
		return nil, err
	}
	st, err := weft.Until(ctx, src, func(st binding) bool { return !st.Pending() })
	switch {
	case err != nil:
		return nil, over(ctx)
	case !st.Known:
		return nil, failed(st.Err)
	}
	return newTree(st.Value, revised(ctx)), nil
}

// StreamBoundTree implements meshpb.InterpreterServer. Addresses do not show here,
// and so are no reason for a message.
func (x *interpreter) StreamBoundTree(req *meshpb.BindReq, out grpc.ServerStreamingServer[meshpb.BoundTreeRsp]) error {
	ctx, cancel := x.s.Within(out.Context())
	defer cancel()
	src, err := x.bind(ctx, req)
	if err != nil {
		return err
	}
	withRevision := revised(ctx)
	var sent *namerd.Binding
	return each(ctx, src, func(st binding) error {
		switch {
		case st.Pending():
			return nil
		case !st.Known:
			x.s.opts.Logger.Warn("a name cannot be bound", "name", req.GetName(), "root", req.GetRoot(), "err", st.Err)
			return failed(st.Err)
		}
		if sent != nil && sameTree(sent.Tree, st.Value.Tree) && (!withRevision || sent.Revision == st.Value.Revision) {
			return nil
		}
		sent = &st.Value
		return out.Send(newTree(st.Value, withRevision))
	})
}

// each hands the values of src to use until that returns an error, or ctx ends.
func each[T any](ctx context.Context, src weft.Source[T], use func(T) error) error {
	for {
		v, stale := src.Load()
		if err := use(v); err != nil {
			return err
		}
		select {
		case <-stale:
		case <-ctx.Done():
			return over(ctx)
		}
	}
}

// sameTree reports whether two trees say the same to a client.
func sameTree(a, b dtab.Tree[*naming.Bound]) bool {
	return dtab.EqualFunc(a, b, func(x, y *naming.Bound) bool { return x.ID == y.ID && x.Residual == y.Residual })
}

// revisionKey is the metadata key of clients that want to know revisions.
const revisionKey = "weft-revision"

func revised(ctx context.Context) bool {
	return len(metadata.ValueFromIncomingContext(ctx, revisionKey)) > 0
}

func newTree(b namerd.Binding, withRevision bool) *meshpb.BoundTreeRsp {
	rsp := &meshpb.BoundTreeRsp{Tree: meshpb.NewBoundTree(b.Tree)}
	if withRevision {
		rsp.RevisionOf, rsp.Revision = &b.Revision.Of, &b.Revision.N
	}
	return rsp
}
