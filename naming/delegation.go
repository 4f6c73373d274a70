package naming

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
)

// Delegator explains how a path is bound. Delegate explores all branches, those
// too that Bind does not get to, and waits until every namer and every leaf's
// endpoint set has answered or ctx ends. If it ends, the explanation is returned
// with the context's cause as error; names without an answer are exceptions in it
// and endpoint sets without one are pending. An explanation is a snapshot.
type Delegator interface {
	Delegate(ctx context.Context, local dtab.Dtab, p dtab.Path) (Delegation, error)
}

// Kind is what a node of a Delegation is. Its text is that of the JSON form.
type Kind string

// The kinds of node.
const (
	KindNeg            Kind = "neg"            // no such name
	KindFail           Kind = "fail"           // a hard stop
	KindEmpty          Kind = "empty"          // exists and has no members
	KindException      Kind = "exception"      // the look-up failed: Err
	KindDelegate       Kind = "delegate"       // one rule applies: Kids[0]
	KindLeaf           Kind = "leaf"           // bound: Bound, Addr
	KindAlt            Kind = "alt"            // failover over Kids
	KindUnion          Kind = "union"          // weighted split over Kids
	KindTransformation Kind = "transformation" // Bound was changed by the transformer Name into Kids[0]
)

// Delegation is a node of the explanation of a path: what the path became, by
// which rule, and what came of it. It is immutable once returned.
type Delegation struct {
	Kind Kind

	// Path is the name looked up. A Neg that is a "~" in a rule has the empty path.
	Path dtab.Path

	// Dentry is the rule that led to Path; nil at the root.
	Dentry *dtab.Dentry

	// Kids are the branches of an Alt or a Union, or the one that follows.
	Kids []Delegation

	// Weight is the node's share in the Union that it is a kid of.
	Weight float64

	// Err is why a look-up failed.
	Err error

	// Bound is the concrete name of a leaf, or of what a transformer got.
	Bound *Bound

	// Addr are the endpoints of Bound.
	Addr State[weft.EndpointSet]

	// Name is the transformer's.
	Name string

	// Asked are the namers that were asked for Path and what they said, and Note is
	// what is worth knowing about the step. Only the text form shows them.
	Asked []Asked
	Note  string
}

// Asked is what one namer said about a path.
type Asked struct {
	Prefix dtab.Path // the namer's
	Answer string    // "neg", "bound", "a tree", "failed: …", "no answer yet"
}

// Simplify returns d without steps that say nothing: a step to the same path, an
// Alt directly in an Alt of the same path, Alts and Unions of one branch.
func (d Delegation) Simplify() Delegation {
	if len(d.Kids) > 0 {
		kids := make([]Delegation, 0, len(d.Kids))
		for _, k := range d.Kids {
			k = k.Simplify()
			if d.Kind == KindAlt && k.Kind == KindAlt && k.Path == d.Path {
				kids = append(kids, k.Kids...)
			} else {
				kids = append(kids, k)
			}
		}
		d.Kids = kids
	}
	if d.Kind == KindAlt || d.Kind == KindUnion {
		switch len(d.Kids) {
		case 0:
			d.Kind = KindNeg
		case 1:
			d.Kind = KindDelegate
		}
	}
	if d.Kind == KindDelegate && len(d.Kids) == 1 {
		return d.skip()
	}
	return d
}

// skip leaves out a step that leads to the path it comes from, unless it leads to
// a constant, which is worth a line of its own.
func (d Delegation) skip() Delegation {
	kid := d.Kids[0]
	switch {
	case kid.Path != d.Path, kid.Kind == KindNeg, kid.Kind == KindFail, kid.Kind == KindEmpty:
		return d
	case kid.Kind != KindTransformation:
		kid.Dentry = d.Dentry
	}
	kid.Weight = d.Weight
	if kid.Note == "" {
		kid.Note = d.Note
	}
	return kid
}

// MapLeaves returns d with every leaf replaced by what f makes of it. The
// explanations of what happens to a bound name later, in transformers, are added
// so.
func (d Delegation) MapLeaves(f func(Delegation) Delegation) Delegation {
	if d.Kind == KindLeaf {
		w := d.Weight
		d = f(d)
		d.Weight = w
		return d
	}
	if len(d.Kids) > 0 {
		kids := make([]Delegation, len(d.Kids))
		for i, k := range d.Kids {
			kids[i] = k.MapLeaves(f)
		}
		d.Kids = kids
	}
	return d
}

// WayTo returns the nodes from d to the first leaf with the given id, both
// included, or nil if there is none: how a name became what a request was sent
// to.
func (d Delegation) WayTo(id dtab.Path) []Delegation {
	if d.Kind == KindLeaf {
		if d.Bound != nil && d.Bound.ID == id {
			return []Delegation{d}
		}
		return nil
	}
	for _, k := range d.Kids {
		if way := k.WayTo(id); way != nil {
			return append([]Delegation{d}, way...)
		}
	}
	return nil
}
