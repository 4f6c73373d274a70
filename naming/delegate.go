package naming

import (
	"context"
	"errors"
	"fmt"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
)

// errUnanswered marks what an explanation has no answer for when its time is up.
var errUnanswered = errors.New("naming: no answer yet")

// Delegate implements Delegator.
//
// It differs from Bind, as in Linkerd, in that a single rule that says "~" stops
// the look-up, in that a look-up that failed does not spoil the branches beside
// it, and in the text of the depth error.
func (in *Default) Delegate(ctx context.Context, local dtab.Dtab, p dtab.Path) (Delegation, error) {
	ctx, cancel := context.WithCancel(ctx)
	t := &tenant{cancel}
	if !in.enter(t) {
		return Delegation{}, ErrClosed
	}
	defer in.exit(t)

	e := &explainer{lookups: newLookups(ctx, in.table, in.opts.MaxLookups), local: local, maxDepth: in.opts.MaxDepth}
	var late error
	for {
		d, err := e.read(in, p)
		if err != nil {
			return Delegation{}, err
		}
		if e.waiting {
			if late = e.wait(); late == nil {
				continue
			}
		}
		d = d.Simplify()
		if err := ResolveAddrs(ctx, &d); late == nil {
			late = err
		}
		if late != nil {
			late = fmt.Errorf("naming: explaining %s: %w", p, late)
		}
		return d, late
	}
}

// explainer computes a Delegation from what is known now, as reading computes a
// bound tree.
type explainer struct {
	*lookups
	index    *dtab.Index
	local    dtab.Dtab
	maxDepth int
	waiting  bool // something has not answered yet
}

// wait waits until a reading can give another answer.
func (e *explainer) wait() error {
	if len(e.signals) == 0 {
		return weft.ErrNeverChanges
	}
	return Any(e.ctx, e.signals)
}

// read explains p once.
func (e *explainer) read(in *Default, p dtab.Path) (Delegation, error) {
	e.begin()
	defer e.end()
	e.waiting = false
	rules, stale := in.rules.Load()
	e.watch(stale, rules.Known, rules.Err)
	switch {
	case rules.Pending():
		e.waiting = true
		return Delegation{Kind: KindException, Path: p, Err: errUnanswered, Note: "the stored dtab is pending"}, nil
	case !rules.Known:
		return Delegation{}, rules.Err
	}
	e.index = rules.Value
	return e.path(p, nil, 1)
}

// path explains a path that the rule from led to; depth counts look-ups.
func (e *explainer) path(p dtab.Path, from *dtab.Dentry, depth int) (Delegation, error) {
	if depth > e.maxDepth {
		return Delegation{}, &foreignError{"Max recursion level reached.", ErrTooDeep}
	}
	if !e.spend() {
		return Delegation{}, ErrTooWide
	}
	matches := e.index.MatchesWith(e.local, p)
	d := Delegation{Kind: KindDelegate, Path: p, Dentry: from}
	switch {
	case len(matches) == 0:
		return e.namers(p, from, depth)
	case len(matches) > 1:
		d.Kind = KindAlt
	case matches[0].Dentry.Dst.Op == dtab.Neg && e.table.knows(p):
		d.Note = "to bind the name, the namers are asked all the same: a ~ that is the only rule does not stop them"
	}
	for _, m := range matches {
		kid, err := explainTree(e, m.Tree(), p, &m.Dentry, depth, func(q dtab.Path) (Delegation, error) {
			return e.path(q, &m.Dentry, depth+1)
		})
		if err != nil && d.Kind == KindAlt {
			kid, err = e.except(p, m.Tree(), &m.Dentry, err)
		}
		if err != nil {
			return Delegation{}, err
		}
		d.Kids = append(d.Kids, kid)
	}
	return d, nil
}

// namers explains a path that no rule matches.
func (e *explainer) namers(p dtab.Path, from *dtab.Dentry, depth int) (Delegation, error) {
	var asked []Asked
	a := e.resolve(p, func(prefix dtab.Path, a answer) {
		asked = append(asked, Asked{Prefix: prefix, Answer: answerText(a)})
	})
	d := Delegation{Path: p, Dentry: from, Asked: asked}
	switch {
	case a.Pending():
		e.waiting = true
		d.Kind, d.Err = KindException, errUnanswered
		return d, nil
	case !a.Known:
		d.Kind, d.Err = KindException, a.Err
		return d, nil
	case a.Value.Op == dtab.Neg:
		d.Kind = KindNeg
		return d, nil
	}
	leaf := func(n Name) (Delegation, error) {
		if n.Bound != nil {
			return Delegation{Kind: KindLeaf, Path: p, Dentry: from, Bound: n.Bound}, nil
		}
		return e.path(n.Path, from, depth+1)
	}
	t, err := explainTree(e, a.Value, p, from, depth, leaf)
	if err != nil {
		return Delegation{}, err
	}
	if a.Value.Op == dtab.Leaf && a.Value.Value.Bound == nil {
		// The namer renamed the path: without a node of its own that would not be seen.
		t = Delegation{Kind: KindDelegate, Path: p, Dentry: from, Kids: []Delegation{t}}
	}
	t.Asked = asked
	return t, nil
}

// explainTree explains a tree that the look-up of p gave by the rule from.
func explainTree[T any](
	e *explainer, t dtab.Tree[T], p dtab.Path, from *dtab.Dentry, depth int, leaf func(T) (Delegation, error),
) (Delegation, error) {
	d := Delegation{Path: p, Dentry: from}
	switch t.Op {
	case dtab.Leaf:
		return leaf(t.Value)
	case dtab.Fail:
		d.Kind = KindFail
		return d, nil
	case dtab.Empty:
		d.Kind = KindEmpty
		return d, nil
	case dtab.Alt:
		d.Kind = KindAlt
	case dtab.Union:
		d.Kind = KindUnion
	default:
		return Delegation{Kind: KindNeg, Dentry: from}, nil
	}
	for _, k := range t.Kids {
		kid, err := explainTree(e, k, p, from, depth, leaf)
		if err != nil {
			if kid, err = e.except(p, k, from, err); err != nil {
				return Delegation{}, err
			}
		}
		kid.Weight = k.Weight
		d.Kids = append(d.Kids, kid)
	}
	return d, nil
}

// except turns the error of a branch into a node, so that the branches beside it
// are explained. Only an explanation that has grown too large is given up.
func (e *explainer) except(p dtab.Path, branch any, from *dtab.Dentry, err error) (Delegation, error) {
	if e.exhausted() {
		return Delegation{}, err
	}
	switch t := branch.(type) {
	case dtab.Tree[dtab.Path]:
		if t.Op == dtab.Leaf {
			p = t.Value
		}
	case dtab.Tree[Name]:
		if t.Op == dtab.Leaf && t.Value.Bound == nil {
			p = t.Value.Path
		}
	}
	return Delegation{Kind: KindException, Path: p, Dentry: from, Err: err}, nil
}

func answerText(a answer) string {
	switch {
	case a.Pending():
		return "no answer yet"
	case !a.Known:
		return "failed: " + a.Err.Error()
	}
	text := map[dtab.Op]string{dtab.Neg: "neg", dtab.Fail: "fail", dtab.Empty: "empty"}[a.Value.Op]
	switch {
	case text != "":
	case a.Value.Op == dtab.Leaf && a.Value.Value.Bound != nil:
		text = "bound"
	case a.Value.Op == dtab.Leaf:
		text = "see " + a.Value.Value.Path.String()
	default:
		text = "a tree"
	}
	if a.Err != nil {
		text += " (stale: " + a.Err.Error() + ")"
	}
	return text
}
