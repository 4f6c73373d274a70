package thriftapi

import (
	"context"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/interpreter/namerd/namerthrift"
	"github.com/weft-mesh/weft/naming/transformer"
)

// fixed is a result that there is already.
func fixed(x namerthrift.Struct) result { return func() namerthrift.Struct { return x } }

// bind waits for a tree that is not the one with the request's stamp.
func (x *namer) bind(ctx context.Context, req *namerthrift.BindReq) result {
	ref := *req.Name
	fail := func(reason string, stamp []byte) result {
		// The stamp of the failure itself, so that whoever knows of it can wait for
		// what comes after it.
		ref.Stamp = stamp
		return fixed(&namerthrift.BindResult{Failure: &namerthrift.BindFailure{Reason: reason, Name: &ref, Ns: ref.Ns}})
	}
	name, err := path(ref.Name)
	if err != nil {
		return fail(err.Error(), ref.Stamp)
	}
	local, err := dtab.Parse(req.Dtab)
	if err != nil {
		return fail(err.Error(), ref.Stamp)
	}
	st, stamp, err := x.trees.poll(ctx, treeOf{ref.Ns, local.Exact(), name}, ref.Stamp)
	switch {
	case err != nil:
		return fail(err.Error(), ref.Stamp)
	case !st.Known:
		x.opts.Logger.Warn("a name cannot be bound", "name", name.String(), "namespace", ref.Ns, "err", st.Err)
		return fail(st.Err.Error(), stamp)
	}
	return func() namerthrift.Struct {
		return &namerthrift.BindResult{Success: &namerthrift.Bound{Stamp: stamp, Tree: namerthrift.NewBoundTree(st.Value), Ns: ref.Ns}}
	}
}

// addr waits for endpoints that are not those with the request's stamp.
func (x *namer) addr(ctx context.Context, req *namerthrift.AddrReq) result {
	ref := *req.Name
	fail := func(reason string, stamp []byte) result {
		ref.Stamp = stamp
		return fixed(&namerthrift.AddrResult{Failure: &namerthrift.AddrFailure{Reason: reason, Name: &ref}})
	}
	id, err := path(ref.Name)
	if err != nil {
		return fail(err.Error(), ref.Stamp)
	}
	st, stamp, err := x.addrs.poll(ctx, transformer.Strip(id), ref.Stamp)
	switch {
	case err != nil:
		return fail(err.Error(), ref.Stamp)
	case !st.Known:
		x.opts.Logger.Warn("the endpoints of an id are not known", "id", id.String(), "err", st.Err)
		return fail(st.Err.Error(), stamp)
	}
	return func() namerthrift.Struct {
		return &namerthrift.AddrResult{Success: &namerthrift.Addr{Stamp: stamp, Value: namerthrift.NewAddrVal(st.Value)}}
	}
}

// dtab waits for a dtab that is not the one with the request's stamp.
func (x *namer) dtab(ctx context.Context, req *namerthrift.DtabReq) result {
	st, stamp, err := x.dtabs.poll(ctx, req.Ns, req.Stamp)
	if err == nil && !st.Known {
		err = st.Err
	}
	if err != nil {
		return fixed(&namerthrift.DtabResult{Failure: &namerthrift.Failure{Reason: err.Error()}})
	}
	return func() namerthrift.Struct {
		return &namerthrift.DtabResult{Success: &namerthrift.DtabRef{Stamp: stamp, Dtab: st.Value.Exact()}}
	}
}

// explained is the stamp of explanations, which have no versions.
var explained = []byte{0, 0, 0, 0, 0, 0, 0, 1} //nolint:gochecknoglobals // a constant

// delegate explains a name. The stamp of the request is of no consequence.
func (x *namer) delegate(ctx context.Context, req *namerthrift.DelegateReq) result {
	fail := func(err error) result {
		return fixed(&namerthrift.DelegateResult{Failure: &namerthrift.Failure{Reason: err.Error()}})
	}
	local, err := dtab.Parse(req.Dtab)
	if err != nil {
		return fail(err)
	}
	tree, err := question(req.Delegation.Tree)
	if err != nil {
		return fail(err)
	}
	limited, cancel := context.WithTimeout(ctx, x.opts.ExplainTimeout)
	defer cancel()
	d, err := x.namerd.DelegateTree(limited, req.Delegation.Ns, local, tree)
	if err != nil && d.Kind == "" { // not even a part of it
		return fail(err)
	}
	return fixed(&namerthrift.DelegateResult{Success: &namerthrift.Delegation{
		Stamp: explained, Tree: namerthrift.NewDelegateTree(d), Ns: req.Delegation.Ns,
	}})
}
