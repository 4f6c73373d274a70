package client

import (
	"strconv"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// Text returns a dtab for namerd to parse: its canonical text, except that weights
// that two decimals do not give have all of theirs, lest 0.001 becomes no weight at all.
func Text(d dtab.Dtab) string {
	rules := make([]string, len(d))
	for i, e := range d {
		rules[i] = e.Prefix.String() + "=>" + TreeText(e.Dst)
	}
	return strings.Join(rules, ";")
}

// TreeText is Text for a tree.
func TreeText(t dtab.Tree[dtab.Path]) string {
	canonical := dtab.ShowTree(t)
	if same, err := dtab.ParseTree(canonical); err == nil && dtab.Equal(same, t) {
		return canonical
	}
	return exact(t)
}

func exact(t dtab.Tree[dtab.Path]) string {
	t = unwrap(t)
	if len(t.Kids) == 0 {
		return dtab.ShowTree(t)
	}
	kids := make([]string, len(t.Kids))
	for i, k := range t.Kids {
		kids[i] = exact(k)
		if len(unwrap(k).Kids) > 0 {
			kids[i] = "(" + kids[i] + ")"
		}
		if t.Op == dtab.Union && k.Weight != 1 {
			kids[i] = strconv.FormatFloat(k.Weight, 'f', -1, 64) + "*" + kids[i]
		}
	}
	if t.Op == dtab.Alt {
		return strings.Join(kids, " | ")
	}
	return strings.Join(kids, " & ")
}

// unwrap returns what is in choices of one branch.
func unwrap(t dtab.Tree[dtab.Path]) dtab.Tree[dtab.Path] {
	for len(t.Kids) == 1 {
		t = t.Kids[0]
	}
	return t
}
