package consul

import (
	"maps"
	"slices"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

// view is everything below the path prefix at an index. It is not written to.
type view struct {
	number int // first, as all views differ in it
	index  uint64
	of     string
	listed uint64 // of namespaces that have never been there
	values map[string]value
	gone   map[string]uint64 // the indexes at which namespaces were seen to be gone
}

// value is what is known of a namespace.
type value struct {
	modified uint64
	stored   naming.State[namerd.Stored]
}

// maxGone is how many namespaces that have gone are remembered.
const maxGone = 1000

// next returns the view that an answer leads to, v itself if it brings nothing new, and
// calls bad for the values in it that are not dtabs. v may be nil; then since is the
// index that namespaces are missing at.
func (v *view) next(of string, pairs map[string]pair, index, since uint64, bad func(ns string, err error)) *view {
	n := &view{index: index, of: of, listed: max(since, index), values: make(map[string]value, len(pairs)), gone: map[string]uint64{}}
	if v != nil {
		n.number = v.number + 1
		if v.of == of {
			n.listed, n.gone = v.listed, maps.Clone(v.gone)
		}
	}
	changed := v == nil || v.of != of
	for ns, p := range pairs {
		var before naming.State[namerd.Stored]
		if v != nil {
			if x, ok := v.values[ns]; ok && x.modified == p.ModifyIndex && v.of == of {
				n.values[ns] = x
				continue
			}
			before = v.at(ns)
		}
		changed = true
		delete(n.gone, ns)
		st, err := parse(of, p)
		x := value{modified: p.ModifyIndex, stored: naming.Ok(st)}
		if err != nil {
			bad(ns, err)
			x.stored = before
			x.stored.Err = &naming.AnswerError{Err: failed(ns, err)}
		}
		n.values[ns] = x
	}
	if v != nil {
		for ns, x := range v.values {
			if _, ok := pairs[ns]; !ok {
				changed = true
				n.gone[ns] = max(index, x.modified)
			}
		}
	}
	if len(n.gone) > maxGone {
		for _, at := range n.gone {
			n.listed = max(n.listed, at)
		}
		n.gone = map[string]uint64{}
	}
	if !changed {
		return v
	}
	return n
}

// setBack reports whether an answer can only be from servers that have gone back to an
// earlier state.
func (v *view) setBack(pairs map[string]pair, index uint64) bool {
	for ns, x := range v.values {
		if p, ok := pairs[ns]; ok && p.ModifyIndex < x.modified || !ok && index < x.modified {
			return true
		}
	}
	return false
}

// at returns what is known of a namespace.
func (v *view) at(ns string) naming.State[namerd.Stored] {
	if x, ok := v.values[ns]; ok {
		return x.stored
	}
	return naming.Ok(missing(v.of, max(v.listed, v.gone[ns])))
}

// names returns the namespaces.
func (v *view) names() []string {
	list := slices.AppendSeq(make([]string, 0, len(v.values)), maps.Keys(v.values))
	slices.Sort(list)
	return list
}
