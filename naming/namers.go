package naming

import (
	"slices"

	"github.com/weft-mesh/weft/dtab"
)

// Prefixed is a Namer and the names that it is asked for.
type Prefixed struct {
	// Prefix is the whole prefix, such as /#/io.l5d.fs. The namer is asked for the
	// names that begin with it, with the prefix taken off.
	Prefix dtab.Path

	Namer Namer
}

// Namers are the configured namers in the order of the configuration file, in
// which later ones are asked first. Prefixes may be the same or overlap: a namer
// that answers Neg passes the name on to the next one that matches.
type Namers []Prefixed

// Under returns namers that know the prefix of their names, each under that.
func Under(namers ...interface {
	Namer
	Prefix() dtab.Path
},
) Namers {
	all := make(Namers, len(namers))
	for i, n := range namers {
		all[i] = Prefixed{Prefix: n.Prefix(), Namer: n}
	}
	return all
}

// Overlap returns two prefixes of which one begins with the other, if there are
// such. Where a namer's names must be its own (in namerd) that is an error.
func (ns Namers) Overlap() (a, b dtab.Path, found bool) {
	for i, n := range ns {
		for _, m := range ns[:i] {
			if n.Prefix.HasPrefix(m.Prefix) || m.Prefix.HasPrefix(n.Prefix) {
				return m.Prefix, n.Prefix, true
			}
		}
	}
	return dtab.Path{}, dtab.Path{}, false
}

// table holds the namers in the order in which they are asked, the global one
// last.
type table []tableEntry

type tableEntry struct {
	Prefixed
	drop int // how many elements of a name the namer does not get
}

func newTable(ns Namers, global Namer) table {
	t := make(table, 0, len(ns)+1)
	for _, n := range slices.Backward(ns) {
		t = append(t, tableEntry{n, n.Prefix.Len()})
	}
	if global != nil {
		t = append(t, tableEntry{Prefixed{Prefix: dtab.MustPath("/$"), Namer: global}, 0})
	}
	return t
}

// answer is what a namer said about a name.
type answer = State[dtab.Tree[Name]]

// knows reports whether any namer is asked for p.
func (t table) knows(p dtab.Path) bool {
	for _, n := range t {
		if p.HasPrefix(n.Prefix) {
			return true
		}
	}
	return false
}
