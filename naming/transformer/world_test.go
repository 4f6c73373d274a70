package transformer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/transformer"
)

type (
	set   = weft.EndpointSet
	state = naming.State[set]
	tree  = dtab.Tree[naming.Name]
	names = naming.State[tree]
)

func path(s string) dtab.Path { return dtab.MustPath(s) }

func at(addr, node string) weft.Endpoint {
	e := weft.Endpoint{Addr: addr}
	if node != "" {
		e.Meta = map[string]string{"nodeName": node}
	}
	return e
}

func of(addrs ...string) set {
	var s set
	for _, a := range addrs {
		s.Endpoints = append(s.Endpoints, at(a, ""))
	}
	return s
}

// web and gw are the endpoint sets of the vectors of §10.10.
func web() set {
	return set{Endpoints: []weft.Endpoint{at("10.0.0.1:80", "n1"), at("10.0.1.1:81", "n2")}, Meta: map[string]string{"authority": "x"}}
}

func gw() set {
	return set{Endpoints: []weft.Endpoint{at("10.0.0.9:4141", "n1"), at("10.0.2.9:4141", "")}}
}

// world is a namer at /#/n whose names and endpoints tests change.
type world struct {
	t    *testing.T
	ends map[string]*weft.Var[state]
	says map[string]*weft.Var[names]
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, ends: map[string]*weft.Var[state]{}, says: map[string]*weft.Var[names]{}}
	w.put("web", web())
	w.put("gw", gw())
	w.says["neg"] = weft.NewVar(naming.Ok(tree{}))
	w.says["pend"] = weft.NewVar(names{})
	w.says["fail"] = weft.NewVar(naming.Failed[tree](errors.New("boom")))
	w.says["empty"] = weft.NewVar(naming.Ok(tree{Op: dtab.Empty}))
	w.says["see"] = weft.NewVar(naming.Ok(dtab.LeafOf(naming.Name{Path: path("/#/n/web")})))
	return w
}

// put gives a name endpoints.
func (w *world) put(name string, s set) {
	if v := w.ends[name]; v != nil {
		v.Store(naming.Ok(s))
		return
	}
	w.ends[name] = weft.NewVar(naming.Ok(s))
	w.says[name] = weft.NewVar(naming.Ok(w.leaf(name)))
}

func (w *world) leaf(name string) tree {
	return dtab.LeafOf(naming.Name{Bound: &naming.Bound{ID: path("/#/n/" + name), Addrs: func(context.Context) weft.Source[state] {
		return w.ends[name]
	}}})
}

// Lookup implements naming.Namer.
func (w *world) Lookup(_ context.Context, p dtab.Path) weft.Source[names] {
	v := w.says[p.Elem(0)]
	if v == nil {
		return naming.NoSuchName()
	}
	rest := p.Drop(1)
	return naming.Derive(v, func(s names) names {
		return naming.MapState(s, func(t tree) tree {
			return dtab.Map(t, func(n naming.Name) naming.Name {
				if n.Bound == nil {
					return naming.Name{Path: n.Path.Concat(rest)}
				}
				b := *n.Bound
				b.Residual = rest
				return naming.Name{Bound: &b}
			})
		})
	})
}

// binder binds with no dtab, for const and replace.
func (w *world) binder() *naming.Default {
	in := naming.NewInterpreter(naming.Options{Namers: naming.Namers{{Prefix: path("/#/n"), Namer: w}}})
	w.t.Cleanup(func() { _ = in.Close() })
	return in
}

// interpreter binds with a dtab and transformers.
func (w *world) interpreter(rules string, ts ...transformer.Transformer) naming.Interpreter {
	return w.behind(w, rules, ts...)
}

func (w *world) behind(n naming.Namer, rules string, ts ...transformer.Transformer) naming.Interpreter {
	in := transformer.Interpreter(naming.NewInterpreter(naming.Options{
		Namers: naming.Namers{{Prefix: path("/#/n"), Namer: n}}, Base: dtab.MustParse(rules),
	}), ts...)
	w.t.Cleanup(func() { _ = in.(io.Closer).Close() })
	return in
}

func (w *world) bind(in naming.Interpreter, p string) weft.Source[transformer.State] {
	return in.Bind(w.t.Context(), nil, path(p))
}

func (w *world) explain(in naming.Interpreter, p string) string {
	w.t.Helper()
	d, err := in.(naming.Delegator).Delegate(w.t.Context(), nil, path(p))
	require.NoError(w.t, err)
	return showDelegation(d)
}

func (w *world) made(tr transformer.Transformer, err error) transformer.Transformer {
	w.t.Helper()
	require.NoError(w.t, err)
	return tr
}

// show prints what a name is bound to now, with its endpoints, observed until the
// test ends.
func (w *world) show(src weft.Source[transformer.State]) string {
	s, _ := src.Load()
	switch {
	case s.Pending():
		return "Pending"
	case !s.Known:
		return "Failed(" + s.Err.Error() + ")"
	}
	return w.showTree(s.Value)
}

func (w *world) showTree(t dtab.Tree[*naming.Bound]) string {
	switch t.Op {
	case dtab.Leaf:
		s, _ := t.Value.Addrs(w.t.Context()).Load()
		return "L(" + showName(t.Value) + ") " + showSet(s)
	case dtab.Union, dtab.Alt:
		var kids []string
		for _, k := range t.Kids {
			kids = append(kids, fmt.Sprintf("%g*%s", k.Weight, w.showTree(k)))
		}
		return map[dtab.Op]string{dtab.Union: "Union", dtab.Alt: "Alt"}[t.Op] + "(" + strings.Join(kids, ", ") + ")"
	default:
		return map[dtab.Op]string{dtab.Neg: "Neg", dtab.Fail: "Fail", dtab.Empty: "Empty"}[t.Op]
	}
}

func showName(b *naming.Bound) string {
	if b.Residual.IsEmpty() {
		return b.ID.String()
	}
	return b.ID.String() + " + " + b.Residual.String()
}

func showSet(s state) string {
	switch {
	case s.Pending():
		return "pending"
	case !s.Known:
		return "failed: " + s.Err.Error()
	case s.Value.Neg:
		return "neg"
	}
	var all []string
	for _, e := range s.Value.Endpoints {
		text := e.Addr
		if n := e.Meta["nodeName"]; n != "" {
			text += " " + n
		}
		all = append(all, text)
	}
	text := "{" + strings.Join(all, ", ") + "}"
	if a := s.Value.Meta["authority"]; a != "" {
		text += " authority=" + a
	}
	if s.Err != nil {
		text += " (stale: " + s.Err.Error() + ")"
	}
	return text
}

// showDelegation prints an explanation in the notation of the vectors, without the
// rules.
func showDelegation(d naming.Delegation) string {
	kind := map[naming.Kind]string{
		naming.KindNeg: "N", naming.KindFail: "F", naming.KindEmpty: "E", naming.KindException: "X", naming.KindDelegate: "D",
		naming.KindLeaf: "L", naming.KindAlt: "A", naming.KindUnion: "U", naming.KindTransformation: "T",
	}[d.Kind]
	parts := []string{d.Path.String()}
	if d.Name != "" {
		parts = append(parts, d.Name)
	}
	if d.Bound != nil {
		parts = append(parts, showName(d.Bound)+" "+showSet(d.Addr))
	}
	var kids []string
	for _, k := range d.Kids {
		kids = append(kids, showDelegation(k))
	}
	if kids != nil {
		parts = append(parts, strings.Join(kids, ", "))
	}
	return kind + "(" + strings.Join(parts, "; ") + ")"
}
