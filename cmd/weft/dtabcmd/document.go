package dtabcmd

import (
	"fmt"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// document is a dtab as namerctl shows and reads it in JSON.
type document struct {
	Version string  `json:"version"`
	Dtab    []*rule `json:"dtab"` // nil stands for null, which namerd has let in
}

type rule struct {
	Prefix string `json:"prefix" yaml:"prefix"`
	Dst    string `json:"dst" yaml:"dst"`
}

// documentOf returns the rules of d.
func documentOf(d dtab.Dtab) document {
	var doc document
	for _, e := range d {
		doc.Dtab = append(doc.Dtab, &rule{e.Prefix.String(), dtab.ExactTree(e.Dst)})
	}
	return doc
}

// pretty returns one rule a line, with the arrows one below the other.
func (d document) pretty() string {
	widest := 0
	for _, r := range d.Dtab {
		if r != nil {
			widest = max(widest, len(r.Prefix))
		}
	}
	var b strings.Builder
	for _, r := range d.Dtab {
		if r != nil {
			pad := strings.Repeat(" ", widest-len(r.Prefix))
			fmt.Fprintf(&b, "%s%s  => %s ;\n", r.Prefix, pad, r.Dst)
		}
	}
	return b.String()
}

// line returns all rules in one line.
func (d document) line() string {
	var b strings.Builder
	for _, r := range d.Dtab {
		if r != nil {
			b.WriteString(r.Prefix + "=>" + r.Dst + ";")
		}
	}
	return b.String()
}

// rules returns one rule a line, each the same whatever stands beside it: what diffs
// are made of.
func rules(d dtab.Dtab) []string {
	lines := make([]string, len(d))
	for i, e := range d {
		lines[i] = e.Prefix.String() + " => " + dtab.ExactTree(e.Dst) + " ;"
	}
	return lines
}

// same reports whether what namerd has is what is wanted. It may have rounded weights
// to two decimals.
func same(has, wanted dtab.Dtab) bool {
	if has.Equal(wanted) {
		return true
	}
	rounded, err := dtab.Parse(wanted.String())
	return err == nil && has.Equal(rounded)
}
