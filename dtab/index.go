package dtab

import (
	"cmp"
	"slices"
)

// Index answers what its Dtab answers, at a cost that depends on the length of
// the path and on the rules that match, not on the number of those that do not.
//
// It is a trie over the elements of the prefixes. A look-up follows both the
// edge of its element and the wildcard edge, so rules with wildcards in many
// places cost it detours; it visits no node twice.
//
// An Index is immutable and safe for concurrent use. The zero value indexes the
// empty Dtab.
type Index struct {
	rules Dtab
	root  node
}

// node stands for a sequence of prefix elements.
type node struct {
	rules []int // positions of the rules with this prefix
	kids  map[string]*node
	wild  *node
}

// NewIndex returns the index of d, which must not be written to from now on.
func NewIndex(d Dtab) *Index {
	x := &Index{rules: d}
	for i, e := range d {
		n := &x.root
		for s := e.Prefix.s; s != ""; {
			var elem string
			elem, s = cutElement(s)
			n = n.child(elem)
		}
		n.rules = append(n.rules, i)
	}
	return x
}

// child returns the node one element on; it makes it if need be.
func (n *node) child(elem string) *node {
	if elem == wildcard {
		if n.wild == nil {
			n.wild = new(node)
		}
		return n.wild
	}
	k := n.kids[elem]
	if k == nil {
		if n.kids == nil {
			n.kids = make(map[string]*node)
		}
		k = new(node)
		n.kids[elem] = k
	}
	return k
}

// Dtab returns the rules, which must not be written to.
func (x *Index) Dtab() Dtab { return x.rules }

// Lookup is x.Dtab().Lookup(p).
func (x *Index) Lookup(p Path) Tree[Path] { return x.LookupWith(nil, p) }

// LookupWith is x.Dtab().Concat(local).Lookup(p): the rules of local, which is
// taken to be short, win.
func (x *Index) LookupWith(local Dtab, p Path) Tree[Path] {
	var buf [inlineHits]hit
	return combine(x.hits(local.hits(buf[:0], len(x.rules), p), p), p)
}

// Matches is x.Dtab().Matches(p).
func (x *Index) Matches(p Path) []Match { return x.MatchesWith(nil, p) }

// MatchesWith is x.Dtab().Concat(local).Matches(p): positions from
// len(x.Dtab()) on are those of local.
func (x *Index) MatchesWith(local Dtab, p Path) []Match {
	var buf [inlineHits]hit
	return export(x.hits(local.hits(buf[:0], len(x.rules), p), p), p)
}

// hits appends to hs the rules that match p, last first.
func (x *Index) hits(hs []hit, p Path) []hit {
	known := len(hs)
	hs = x.walk(hs, &x.root, p.s, 0)
	slices.SortFunc(hs[known:], func(a, b hit) int { return cmp.Compare(b.pos, a.pos) })
	return hs
}

// walk appends to hs, in no order, the rules at and below n that match s, of
// which the first at bytes led to n. It calls itself only where the way forks,
// so that a long prefix does not need a deep stack.
func (x *Index) walk(hs []hit, n *node, s string, at int) []hit {
	for {
		for _, i := range n.rules {
			hs = append(hs, hit{rule: &x.rules[i], pos: i, at: at})
		}
		if at == len(s) {
			return hs
		}
		elem, _ := cutElement(s[at:])
		at += 1 + len(elem)
		kid := n.kids[elem]
		switch {
		case kid == nil && n.wild == nil:
			return hs
		case kid == nil:
			kid = n.wild
		case n.wild != nil:
			hs = x.walk(hs, n.wild, s, at)
		}
		n = kid
	}
}
