package editor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft/dtab"
)

func showRows(rows []row) string {
	signs := map[op]string{same: " ", added: "+", removed: "-", changed: "~", moved: ">"}
	var all []string
	for _, r := range rows {
		s := signs[r.Op] + r.Prefix + "=>" + r.Dst
		if r.Was != "" {
			s += " was " + r.Was
		}
		all = append(all, strings.TrimPrefix(s, " "))
	}
	return strings.Join(all, ", ")
}

func TestDiff(t *testing.T) {
	for _, row := range []struct{ before, after, want string }{
		{"", "", ""},
		{"/a=>/b", "/a=>/b", "/a=>/b"},
		{"", "/a=>/b", "+/a=>/b"},
		{"/a=>/b", "", "-/a=>/b"},
		{"/a=>/b", "/a=>/c", "~/a=>/c was /b"},
		{"/a=>/b;/x=>/y", "/a=>/c;/x=>/z", "~/a=>/c was /b, ~/x=>/z was /y"},
		{"/a=>/b;/c=>/d;/e=>/f", "/a=>/b;/e=>/f", "/a=>/b, -/c=>/d, /e=>/f"},
		{"/a=>/b;/e=>/f", "/a=>/b;/c=>/d;/e=>/f", "/a=>/b, +/c=>/d, /e=>/f"},
		{"/a=>/1;/b=>/2;/c=>/3", "/b=>/2;/c=>/3;/a=>/1", "/b=>/2, /c=>/3, >/a=>/1"},
		{"/a=>/1;/a=>/2", "/a=>/1;/a=>/3", "/a=>/1, ~/a=>/3 was /2"},
		{"/a=>/1", "/a=>/1;/a=>/1", "/a=>/1, +/a=>/1"},
		{"/a=>0.001*/b & 0.002*/c", "/a=>0.001*/b & 0.003*/c", "~/a=>0.001*/b & 0.003*/c was 0.001*/b & 0.002*/c"},
	} {
		assert.Equal(t, row.want, showRows(diff(dtab.MustParse(row.before), dtab.MustParse(row.after))), "%s -> %s", row.before, row.after)
	}
}

// dtabs are short ones of few rules, so that much is the same in any two.
func dtabs() *rapid.Generator[dtab.Dtab] {
	return rapid.Custom(func(t *rapid.T) dtab.Dtab {
		var rules []string
		for range rapid.IntRange(0, 7).Draw(t, "n") {
			rules = append(rules, fmt.Sprintf("/%c=>/%d", 'a'+rapid.IntRange(0, 3).Draw(t, "prefix"), rapid.IntRange(0, 2).Draw(t, "dst")))
		}
		return dtab.MustParse(strings.Join(rules, ";"))
	})
}

func TestDiffHasBothSides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := dtabs().Draw(t, "before"), dtabs().Draw(t, "after")
		var now []string
		count := map[string]int{}
		for _, r := range diff(before, after) {
			rule := r.Prefix + "=>" + r.Dst
			if r.Op != removed {
				now = append(now, rule)
			}
			switch r.Op {
			case same, moved, removed:
				count[rule]++
			case changed:
				count[r.Prefix+"=>"+r.Was]++
			case added:
			}
		}
		assert.Equal(t, exact(after), append([]string{}, now...), "the rows are the dtab after, in its order")
		was := map[string]int{}
		for _, rule := range exact(before) {
			was[rule]++
		}
		assert.Equal(t, was, count, "every rule before is in one row")
	})
}

func TestRebase(t *testing.T) {
	for name, row := range map[string]struct {
		base, mine, theirs, want string
		conflicts                []int
	}{
		"nothing":          {"/a=>/1", "/a=>/1", "/a=>/1", "/a=>/1", nil},
		"mine only":        {"/a=>/1", "/a=>/2", "/a=>/1", "/a=>/2", nil},
		"theirs only":      {"/a=>/1", "/a=>/1", "/a=>/2", "/a=>/2", nil},
		"both the same":    {"/a=>/1", "/a=>/2", "/a=>/2", "/a=>/2", nil},
		"different places": {"/a=>/1;/b=>/2;/c=>/3", "/a=>/9;/b=>/2;/c=>/3", "/a=>/1;/b=>/2;/c=>/8", "/a=>/9;/b=>/2;/c=>/8", nil},
		"the same place":   {"/a=>/1;/b=>/2", "/a=>/9;/b=>/2", "/a=>/8;/b=>/2", "/a=>/8;/a=>/9;/b=>/2", []int{0}},
		"both at the end":  {"/a=>/1", "/a=>/1;/m=>/m", "/a=>/1;/t=>/t", "/a=>/1;/t=>/t;/m=>/m", []int{1}},
		"first and last":   {"/a=>/1", "/a=>/1;/m=>/m", "/t=>/t;/a=>/1", "/t=>/t;/a=>/1;/m=>/m", nil},
		"removed and kept": {"/a=>/1;/b=>/2", "/b=>/2", "/a=>/1;/b=>/2;/c=>/3", "/b=>/2;/c=>/3", nil},
		"deleted by them":  {"/a=>/1", "/a=>/1;/m=>/m", "", "/m=>/m", []int{0}},
	} {
		merged, conflicts := rebase(dtab.MustParse(row.base), dtab.MustParse(row.mine), dtab.MustParse(row.theirs))
		assert.Equal(t, row.want, merged.Exact(), name)
		assert.Equal(t, row.conflicts, conflicts, name)
	}
}

func TestRebaseOfOneChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base, other := dtabs().Draw(t, "base"), dtabs().Draw(t, "other")
		for name, in := range map[string][3]dtab.Dtab{"mine": {base, other, base}, "theirs": {base, base, other}, "the same": {base, other, other}} {
			merged, conflicts := rebase(in[0], in[1], in[2])
			assert.Equal(t, other.Exact(), merged.Exact(), name)
			assert.Empty(t, conflicts, name)
		}
	})
}
