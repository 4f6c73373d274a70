package thriftapi

import (
	"context"
	"fmt"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/namerd/namerthrift"
	"github.com/weft-mesh/weft/naming/transformer"
)

// Dtabs are observed for so many polls, as in the original.
const (
	dtabsActive   = 10
	dtabsInactive = 1
)

// namer is the service Namer. It is safe for concurrent use.
type namer struct {
	namerd *namerd.Namerd
	opts   Options

	trees *observations[treeOf, dtab.Tree[*naming.Bound]]
	addrs *observations[dtab.Path, weft.EndpointSet]
	dtabs *observations[string, dtab.Dtab]
}

// treeOf is the key of a tree: a namespace, a dtab in its canonical form, a name.
type treeOf struct {
	ns, local string
	name      dtab.Path
}

// newNamer returns a namer whose observations end with ctx, or with close.
func newNamer(ctx context.Context, n *namerd.Namerd, o Options) *namer {
	x := &namer{namerd: n, opts: o}
	next := newStamps()
	x.trees = newObservations(ctx, o.Bindings, next, sameTree, func(ctx context.Context, k treeOf) weft.Source[naming.State[dtab.Tree[*naming.Bound]]] {
		local, err := dtab.Parse(k.local)
		if err != nil {
			return weft.Const[naming.State[dtab.Tree[*naming.Bound]]]{V: naming.Failed[dtab.Tree[*naming.Bound]](err)}
		}
		return naming.Derive(n.Bind(ctx, k.ns, local, k.name), func(st naming.State[namerd.Binding]) naming.State[dtab.Tree[*naming.Bound]] {
			return naming.MapState(st, func(b namerd.Binding) dtab.Tree[*naming.Bound] { return b.Tree })
		})
	})
	x.addrs = newObservations(ctx, o.Addrs, next, sameSet, n.Addr)
	x.dtabs = newObservations(ctx, CacheOptions{Active: dtabsActive, Inactive: dtabsInactive}.withDefaults(), next, dtab.Dtab.Equal,
		func(ctx context.Context, ns string) weft.Source[naming.State[dtab.Dtab]] {
			return naming.Derive(n.Dtab(ctx, ns), func(st naming.State[namerd.Stored]) naming.State[dtab.Dtab] {
				return naming.MapState(st, func(s namerd.Stored) dtab.Dtab { return s.Dtab })
			})
		})
	return x
}

// close ends all observations.
func (x *namer) close() {
	x.trees.close()
	x.addrs.close()
	x.dtabs.close()
}

// call answers a message of thrift, which may take until ctx ends. The answer is nil
// for a message that wants none. The error is for what is not a call at all.
func (x *namer) call(ctx context.Context, b []byte) ([]byte, error) {
	var ask func(context.Context) namerthrift.Struct
	h, err := namerthrift.Unmarshal(b, func(h namerthrift.Header) (namerthrift.Struct, error) {
		var args namerthrift.Struct
		args, ask = x.method(h.Method)
		return args, nil
	})
	switch {
	case h.Type != thrift.CALL && h.Type != thrift.ONEWAY:
		if err == nil {
			err = fmt.Errorf("thrift: a message of type %d, which is not a call", h.Type)
		}
		return nil, err
	case err != nil:
		return namerthrift.MarshalException(h.Method, h.Seq, thrift.NewTApplicationException(thrift.PROTOCOL_ERROR, err.Error()))
	case ask == nil:
		return namerthrift.MarshalException(h.Method, h.Seq, thrift.NewTApplicationException(thrift.UNKNOWN_METHOD, "Invalid method name: '"+h.Method+"'"))
	}
	result := ask(ctx)
	switch {
	case h.Type == thrift.ONEWAY:
		return nil, nil
	case result == nil:
		return namerthrift.MarshalException(h.Method, h.Seq, thrift.NewTApplicationException(thrift.PROTOCOL_ERROR, "Required field 'req' was not present"))
	}
	return namerthrift.Marshal(h.Method, thrift.REPLY, h.Seq, result)
}

// method returns what the arguments of a method are read into, and how it is then
// answered. There is no answer to arguments without a request in them. A method that
// there is not has neither.
func (x *namer) method(name string) (args namerthrift.Struct, ask func(context.Context) namerthrift.Struct) {
	switch name {
	case namerthrift.MethodBind:
		a := &namerthrift.BindArgs{}
		return a, func(ctx context.Context) namerthrift.Struct {
			if a.Req == nil || a.Req.Name == nil {
				return nil
			}
			return x.bind(ctx, a.Req)
		}
	case namerthrift.MethodAddr:
		a := &namerthrift.AddrArgs{}
		return a, func(ctx context.Context) namerthrift.Struct {
			if a.Req == nil || a.Req.Name == nil {
				return nil
			}
			return x.addr(ctx, a.Req)
		}
	case namerthrift.MethodDelegate:
		a := &namerthrift.DelegateArgs{}
		return a, func(ctx context.Context) namerthrift.Struct {
			if a.Req == nil || a.Req.Delegation == nil {
				return nil
			}
			return x.delegate(ctx, a.Req)
		}
	case namerthrift.MethodDtab:
		a := &namerthrift.DtabArgs{}
		return a, func(ctx context.Context) namerthrift.Struct {
			if a.Req == nil {
				return nil
			}
			return x.dtab(ctx, a.Req)
		}
	default:
		return nil, nil
	}
}

// bind waits for a tree that is not the one with the request's stamp.
func (x *namer) bind(ctx context.Context, req *namerthrift.BindReq) *namerthrift.BindResult {
	ref := *req.Name
	fail := func(reason string, stamp []byte) *namerthrift.BindResult {
		// The stamp of the failure itself, so that whoever knows of it can wait for
		// what comes after it.
		ref.Stamp = stamp
		return &namerthrift.BindResult{Failure: &namerthrift.BindFailure{Reason: reason, Name: &ref, Ns: ref.Ns}}
	}
	name, err := path(ref.Name)
	if err != nil {
		return fail(err.Error(), ref.Stamp)
	}
	local, err := dtab.Parse(req.Dtab)
	if err != nil {
		return fail(err.Error(), ref.Stamp)
	}
	st, stamp, err := x.trees.poll(ctx, treeOf{ref.Ns, local.String(), name}, ref.Stamp)
	switch {
	case err != nil:
		return fail(err.Error(), ref.Stamp)
	case !st.Known:
		x.opts.Logger.Warn("a name cannot be bound", "name", name.String(), "namespace", ref.Ns, "err", st.Err)
		return fail(st.Err.Error(), stamp)
	}
	return &namerthrift.BindResult{Success: &namerthrift.Bound{Stamp: stamp, Tree: namerthrift.NewBoundTree(st.Value), Ns: ref.Ns}}
}

// addr waits for endpoints that are not those with the request's stamp.
func (x *namer) addr(ctx context.Context, req *namerthrift.AddrReq) *namerthrift.AddrResult {
	ref := *req.Name
	fail := func(reason string, stamp []byte) *namerthrift.AddrResult {
		ref.Stamp = stamp
		return &namerthrift.AddrResult{Failure: &namerthrift.AddrFailure{Reason: reason, Name: &ref}}
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
	return &namerthrift.AddrResult{Success: &namerthrift.Addr{Stamp: stamp, Value: namerthrift.NewAddrVal(st.Value)}}
}

// dtab waits for a dtab that is not the one with the request's stamp.
func (x *namer) dtab(ctx context.Context, req *namerthrift.DtabReq) *namerthrift.DtabResult {
	st, stamp, err := x.dtabs.poll(ctx, req.Ns, req.Stamp)
	if err == nil && !st.Known {
		err = st.Err
	}
	if err != nil {
		return &namerthrift.DtabResult{Failure: &namerthrift.Failure{Reason: err.Error()}}
	}
	return &namerthrift.DtabResult{Success: &namerthrift.DtabRef{Stamp: stamp, Dtab: st.Value.String()}}
}

// explained is the stamp of explanations, which have no versions.
var explained = []byte{0, 0, 0, 0, 0, 0, 0, 1} //nolint:gochecknoglobals // a constant

// delegate explains a name. The stamp of the request is of no consequence.
func (x *namer) delegate(ctx context.Context, req *namerthrift.DelegateReq) *namerthrift.DelegateResult {
	fail := func(err error) *namerthrift.DelegateResult {
		return &namerthrift.DelegateResult{Failure: &namerthrift.Failure{Reason: err.Error()}}
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
	return &namerthrift.DelegateResult{Success: &namerthrift.Delegation{
		Stamp: explained, Tree: namerthrift.NewDelegateTree(d), Ns: req.Delegation.Ns,
	}}
}
