package client

import (
	"strconv"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// text returns a dtab for namerd to parse: its canonical text, whose weights have two
// decimals, if that says it all, or one with all decimals, lest a weight of 0.001
// becomes none at all on its way.
func text(d dtab.Dtab) string {
	canonical := d.String()
	if same, err := dtab.Parse(canonical); err == nil && same.Equal(d) {
		return canonical
	}
	rules := make([]string, len(d))
	for i, e := range d {
		rules[i] = e.Prefix.String() + "=>" + treeText(e.Dst)
	}
	return strings.Join(rules, ";")
}

func treeText(t dtab.Tree[dtab.Path]) string {
	if t.Op != dtab.Alt && t.Op != dtab.Union || len(t.Kids) == 0 {
		return dtab.ShowTree(t)
	}
	kids := make([]string, len(t.Kids))
	for i, k := range t.Kids {
		kids[i] = treeText(k)
		if len(k.Kids) > 1 {
			kids[i] = "(" + kids[i] + ")"
		}
		if t.Op == dtab.Union && len(t.Kids) > 1 && k.Weight != 1 {
			kids[i] = strconv.FormatFloat(k.Weight, 'f', -1, 64) + " * " + kids[i]
		}
	}
	if t.Op == dtab.Alt {
		return strings.Join(kids, " | ")
	}
	return strings.Join(kids, " & ")
}
