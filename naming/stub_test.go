package naming_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

type (
	tree   = dtab.Tree[naming.Name]
	answer = naming.State[tree]
)

func path(s string) dtab.Path { return dtab.MustPath(s) }

func constant(a answer) weft.Source[answer] { return weft.Const[answer]{V: a} }

func endpoints(addrs ...string) weft.EndpointSet {
	var set weft.EndpointSet
	for _, a := range addrs {
		set.Endpoints = append(set.Endpoints, weft.Endpoint{Addr: a})
	}
	return set
}

// stubN is the stub namer of the binding vectors, at /#/n.
func stubN(_ context.Context, p dtab.Path) weft.Source[answer] {
	if p.IsEmpty() {
		return naming.Answer(tree{})
	}
	id, rest := path("/#/n").Concat(p.Take(1)), p.Drop(1)
	switch p.Elem(0) {
	case "neg":
		return naming.Answer(tree{})
	case "pend":
		return constant(answer{})
	case "fail":
		return naming.AnswerErr(errors.New("boom"))
	case "empty":
		return naming.Answer(tree{Op: dtab.Empty})
	case "nfail":
		return naming.Answer(tree{Op: dtab.Fail})
	case "addrneg":
		return naming.Answer(dtab.LeafOf(naming.Fixed(id, rest, weft.EndpointSet{Neg: true})))
	case "tree":
		return naming.Answer(naming.PathTree(dtab.MustTree("/#/n/x | /#/n/y")))
	}
	return naming.Answer(dtab.LeafOf(naming.Fixed(id, rest, endpoints("10.0.0.1:80"))))
}

// stubFB is one of the two stub namers at /#/fb.
func stubFB(prefix string) naming.NamerFunc {
	return func(_ context.Context, p dtab.Path) weft.Source[answer] {
		if p.IsEmpty() || prefix == "/#/fb1" && p.Elem(0) == "only2" {
			return naming.Answer(tree{})
		}
		return naming.Answer(dtab.LeafOf(naming.Fixed(path(prefix).Concat(p.Take(1)), p.Drop(1), endpoints("10.0.0.2:80"))))
	}
}

// stubWhole binds every name to its own prefix, at /#/namer.
func stubWhole(_ context.Context, p dtab.Path) weft.Source[answer] {
	return naming.Answer(dtab.LeafOf(naming.Fixed(path("/#/namer"), p, endpoints("10.0.0.3:80"))))
}

// stubGlobal is as much of the global namer as the vectors need.
func stubGlobal(_ context.Context, p dtab.Path) weft.Source[answer] {
	number := func(i int) bool {
		if i >= p.Len() {
			return false
		}
		_, err := strconv.ParseInt(p.Elem(i), 10, 32)
		return err == nil
	}
	inet := func(n int) weft.Source[answer] {
		host, port := "127.0.0.1", p.Elem(n-1)
		return naming.Answer(dtab.LeafOf(naming.Fixed(p.Take(n), p.Drop(n), endpoints(host+":"+port))))
	}
	switch {
	case p.Len() < 2:
		return naming.Answer(tree{})
	case p.Elem(1) == "inet" && number(3):
		return inet(4)
	case p.Elem(1) == "inet" && number(2):
		return inet(3)
	case p.Elem(1) == "fail":
		return naming.Answer(tree{Op: dtab.Fail})
	case p.Elem(1) == "nil":
		return naming.Answer(tree{Op: dtab.Empty})
	case p.Elem(1) == "io.buoyant.http.anyMethod" && p.Len() > 2:
		return naming.Answer(dtab.LeafOf(naming.Name{Path: p.Drop(3)}))
	}
	return naming.AnswerErr(fmt.Errorf("Unknown namer: %s for path: %s", p.Elem(1), p))
}

// board is a namer that a script writes on, at /#/a: names get answers, and every
// look-up sees them change.
type board struct {
	answers weft.Var[map[dtab.Path]answer]

	mu    sync.Mutex
	live  map[dtab.Path]int // look-ups whose context has not ended
	total int               // look-ups ever
}

func newBoard() *board { return &board{live: map[dtab.Path]int{}} }

// put sets the answer for the names that begin with p.
func (b *board) put(p dtab.Path, a answer) {
	old, _ := b.answers.Load()
	next := maps.Clone(old)
	if next == nil {
		next = map[dtab.Path]answer{}
	}
	next[p] = a
	b.answers.Store(next)
}

func (b *board) Lookup(ctx context.Context, p dtab.Path) weft.Source[answer] {
	p = path("/#/a").Concat(p)
	b.mu.Lock()
	b.live[p]++
	b.total++
	b.mu.Unlock()
	context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.live[p]--; b.live[p] == 0 {
			delete(b.live, p)
		}
	})
	return naming.Derive(&b.answers, func(m map[dtab.Path]answer) answer {
		for n := p.Len(); n > 0; n-- {
			if a, ok := m[p.Take(n)]; ok {
				return naming.State[tree]{Known: a.Known, Err: a.Err, Value: withResidual(a.Value, p.Drop(n))}
			}
		}
		return naming.Ok(tree{})
	})
}

func (b *board) looking() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var names []string
	for p, n := range b.live {
		names = append(names, fmt.Sprintf("%s x%d", p, n))
	}
	slices.Sort(names)
	return names
}

func withResidual(t tree, rest dtab.Path) tree {
	return dtab.Map(t, func(n naming.Name) naming.Name {
		if n.Bound == nil {
			return naming.Name{Path: n.Path.Concat(rest)}
		}
		b := *n.Bound
		b.Residual = b.Residual.Concat(rest)
		return naming.Name{Bound: &b}
	})
}

// showState prints a bound tree in the notation of the vectors.
func showState(s naming.State[dtab.Tree[*naming.Bound]]) string {
	switch {
	case s.Pending():
		return "Pending"
	case !s.Known:
		return "Failed(" + s.Err.Error() + ")"
	case s.Err != nil:
		return showBound(s.Value) + " (stale: " + s.Err.Error() + ")"
	}
	return showBound(s.Value)
}

func showBound(t dtab.Tree[*naming.Bound]) string {
	switch t.Op {
	case dtab.Leaf:
		text := "L(" + showName(t.Value) + ")"
		s, _ := t.Value.Addrs(context.Background()).Load()
		if w, ok := s.Value.Meta[naming.MetaTreeWeight]; ok {
			text += "{" + w + "}"
		}
		if s.Value.Neg {
			text += " without addresses"
		}
		return text
	case dtab.Union:
		var kids []string
		for _, k := range t.Kids {
			kids = append(kids, fmt.Sprintf("%g*%s", k.Weight, showBound(k)))
		}
		return "Union(" + strings.Join(kids, ", ") + ")"
	case dtab.Alt:
		return "ALT IN A BOUND TREE"
	default:
	}
	return map[dtab.Op]string{dtab.Neg: "Neg", dtab.Fail: "Fail", dtab.Empty: "Empty"}[t.Op]
}

func showName(b *naming.Bound) string {
	if b.Residual.IsEmpty() {
		return b.ID.String()
	}
	return b.ID.String() + " + " + b.Residual.String()
}

// showDelegation prints an explanation in the notation of the vectors.
func showDelegation(d naming.Delegation) string {
	kind := map[naming.Kind]string{
		naming.KindNeg: "N", naming.KindFail: "F", naming.KindEmpty: "E", naming.KindException: "X", naming.KindDelegate: "D",
		naming.KindLeaf: "L", naming.KindAlt: "A", naming.KindUnion: "U", naming.KindTransformation: "T",
	}[d.Kind]
	parts := []string{d.Path.String(), "-"}
	if d.Dentry != nil {
		parts[1] = d.Dentry.String()
	}
	switch d.Kind {
	case naming.KindLeaf:
		parts = append(parts, showName(d.Bound))
	case naming.KindException:
		parts = append(parts, d.Err.Error())
	default:
	}
	var kids []string
	for _, k := range d.Kids {
		text := showDelegation(k)
		if d.Kind == naming.KindUnion {
			text = fmt.Sprintf("%g*%s", k.Weight, text)
		}
		kids = append(kids, text)
	}
	if kids != nil {
		parts = append(parts, strings.Join(kids, ", "))
	}
	return kind + "(" + strings.Join(parts, "; ") + ")"
}
