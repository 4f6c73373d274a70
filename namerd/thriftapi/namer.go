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

// answer makes the bytes of an answer. They are made when they can be sent, so that
// a client that does not read does not fill the memory with them.
type answer func() ([]byte, error)

// result makes the result of a method, for the same reason.
type result func() namerthrift.Struct

// call handles a message of thrift, which may take until ctx ends. The answer is nil
// for a message that wants none. The error is for what is not a call at all.
func (x *namer) call(ctx context.Context, b []byte) (answer, error) {
	var ask func(context.Context) result
	h, err := namerthrift.Unmarshal(b, func(h namerthrift.Header) (namerthrift.Struct, error) {
		var args namerthrift.Struct
		args, ask = x.method(h.Method)
		return args, nil
	})
	refuse := func(code int32, why string) answer {
		return func() ([]byte, error) {
			return namerthrift.MarshalException(h.Method, h.Seq, thrift.NewTApplicationException(code, why))
		}
	}
	switch {
	case h.Type != thrift.CALL && h.Type != thrift.ONEWAY:
		if err == nil {
			err = fmt.Errorf("thrift: a message of type %d, which is not a call", h.Type)
		}
		return nil, err
	case err != nil:
		return refuse(thrift.PROTOCOL_ERROR, err.Error()), nil
	case ask == nil:
		return refuse(thrift.UNKNOWN_METHOD, "Invalid method name: '"+h.Method+"'"), nil
	}
	r := ask(ctx)
	switch {
	case h.Type == thrift.ONEWAY:
		return nil, nil
	case r == nil:
		return refuse(thrift.PROTOCOL_ERROR, "Required field 'req' was not present"), nil
	}
	return func() ([]byte, error) { return namerthrift.Marshal(h.Method, thrift.REPLY, h.Seq, r()) }, nil
}

// method returns what the arguments of a method are read into, and how it is then
// answered. There is no answer to arguments without a request in them. A method that
// there is not has neither.
func (x *namer) method(name string) (args namerthrift.Struct, ask func(context.Context) result) {
	switch name {
	case namerthrift.MethodBind:
		a := &namerthrift.BindArgs{}
		return a, func(ctx context.Context) result {
			if a.Req == nil || a.Req.Name == nil {
				return nil
			}
			return x.bind(ctx, a.Req)
		}
	case namerthrift.MethodAddr:
		a := &namerthrift.AddrArgs{}
		return a, func(ctx context.Context) result {
			if a.Req == nil || a.Req.Name == nil {
				return nil
			}
			return x.addr(ctx, a.Req)
		}
	case namerthrift.MethodDelegate:
		a := &namerthrift.DelegateArgs{}
		return a, func(ctx context.Context) result {
			if a.Req == nil || a.Req.Delegation == nil {
				return nil
			}
			return x.delegate(ctx, a.Req)
		}
	case namerthrift.MethodDtab:
		a := &namerthrift.DtabArgs{}
		return a, func(ctx context.Context) result {
			if a.Req == nil {
				return nil
			}
			return x.dtab(ctx, a.Req)
		}
	default:
		return nil, nil
	}
}
