package editor

import (
	"slices"

	"github.com/weft-mesh/weft/dtab"
)

// op is what became of a rule.
type op string

const (
	same    op = "same"
	added   op = "added"
	removed op = "removed"
	changed op = "changed" // another destination for the same prefix, at the same place
	moved   op = "moved"   // here from elsewhere: the order of rules counts
)

// row is a rule in a comparison of two dtabs.
type row struct {
	Op     op     `json:"op"`
	Prefix string `json:"prefix"`
	Dst    string `json:"dst"`
	Was    string `json:"was,omitempty"` // the destination of a changed rule before
}

// diff compares two dtabs rule by rule: the rows of after in their order, with those
// that were removed where they stood.
func diff(before, after dtab.Dtab) []row {
	rows := []row{}
	gone := map[string]int{} // rules that are not where they were
	for _, s := range steps(before, after) {
		if s.a >= 0 && s.b < 0 {
			gone[before[s.a].Exact()]++
		}
	}
	came := map[string]int{}
	for _, s := range steps(before, after) {
		if s.a < 0 {
			came[after[s.b].Exact()]++
		}
	}
	for _, s := range steps(before, after) {
		switch {
		case s.a >= 0 && s.b >= 0:
			rows = append(rows, newRow(same, after[s.b]))
		case s.b < 0:
			if came[before[s.a].Exact()] > 0 {
				came[before[s.a].Exact()]--
				continue // it is shown where it went
			}
			rows = append(rows, newRow(removed, before[s.a]))
		case gone[after[s.b].Exact()] > 0:
			gone[after[s.b].Exact()]--
			rows = append(rows, newRow(moved, after[s.b]))
		default:
			rows = replaced(rows, newRow(added, after[s.b]))
		}
	}
	return rows
}

// replaced adds a row, as a change of the first rule of the same prefix that was removed
// just before it if there is one.
func replaced(rows []row, r row) []row {
	first := len(rows)
	for first > 0 && rows[first-1].Op == removed { // not beyond another change: the order counts
		first--
	}
	for i := first; i < len(rows); i++ {
		if rows[i].Op == removed && rows[i].Prefix == r.Prefix {
			rows[i].Op, rows[i].Was, rows[i].Dst = changed, rows[i].Dst, r.Dst
			return rows
		}
	}
	return append(rows, r)
}

func newRow(o op, e dtab.Dentry) row {
	return row{Op: o, Prefix: e.Prefix.String(), Dst: dtab.ExactTree(e.Dst)}
}

// step is a place in two lists side by side: an index into each, -1 where that list has
// nothing.
type step struct{ a, b int }

// steps aligns two dtabs by a longest common subsequence. Of what differs at one place,
// what a has comes first.
func steps(a, b dtab.Dtab) []step {
	// Equal ends need no table: a change is usually one rule of many.
	head := 0
	for head < len(a) && head < len(b) && a[head].Exact() == b[head].Exact() {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail].Exact() == b[len(b)-1-tail].Exact() {
		tail++
	}
	var all []step
	for i := range head {
		all = append(all, step{i, i})
	}
	for _, s := range table(a[head:len(a)-tail], b[head:len(b)-tail]) {
		if s.a >= 0 {
			s.a += head
		}
		if s.b >= 0 {
			s.b += head
		}
		all = append(all, s)
	}
	for i := tail; i > 0; i-- {
		all = append(all, step{len(a) - i, len(b) - i})
	}
	return all
}

// maxTable bounds the table of a comparison: beyond it all of a was removed and all of b
// added.
const maxTable = 4 << 20

func table(a, b dtab.Dtab) []step {
	var all []step
	i, j := 0, 0
	if len(a)*len(b) <= maxTable && len(a) > 0 && len(b) > 0 {
		as, bs := exact(a), exact(b)
		// longest[i][j] is the length of the longest common subsequence of a[i:] and b[j:].
		longest := make([][]int32, len(a)+1)
		for i := range longest {
			longest[i] = make([]int32, len(b)+1)
		}
		for i := range slices.Backward(a) {
			for j := range slices.Backward(b) {
				if as[i] == bs[j] {
					longest[i][j] = longest[i+1][j+1] + 1
				} else {
					longest[i][j] = max(longest[i+1][j], longest[i][j+1])
				}
			}
		}
		for i < len(a) && j < len(b) {
			switch {
			case as[i] == bs[j]:
				all = append(all, step{i, j})
				i++
				j++
			case longest[i+1][j] >= longest[i][j+1]:
				all = append(all, step{i, -1})
				i++
			default:
				all = append(all, step{-1, j})
				j++
			}
		}
	}
	for ; i < len(a); i++ {
		all = append(all, step{i, -1})
	}
	for ; j < len(b); j++ {
		all = append(all, step{-1, j})
	}
	return all
}

func exact(d dtab.Dtab) []string {
	texts := make([]string, len(d))
	for i, e := range d {
		texts[i] = e.Exact()
	}
	return texts
}
