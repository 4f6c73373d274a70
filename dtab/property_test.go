package dtab_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft/dtab"
)

// paths draws from few elements, so that prefixes meet, and some odd ones.
func paths() *rapid.Generator[dtab.Path] {
	elem := rapid.OneOf(rapid.SampledFrom([]string{"a", "b", "ab", "*", "/", "#"}), rapid.StringN(1, 3, 8))
	return rapid.Custom(func(t *rapid.T) dtab.Path {
		p, err := dtab.PathOf(rapid.SliceOfN(elem, 0, 4).Draw(t, "elems")...)
		require.NoError(t, err)
		return p
	})
}

// weights draws those that print exactly.
func weights() *rapid.Generator[float64] {
	return rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.IntRange(0, 300).Draw(t, "weight")) / 100 })
}

// trees draws trees in which Alts and Unions have no fewer kids than minKids.
func trees(depth, minKids int) *rapid.Generator[tree] {
	return rapid.Custom(func(t *rapid.T) tree {
		op := rapid.SampledFrom([]dtab.Op{dtab.Neg, dtab.Fail, dtab.Empty, dtab.Leaf, dtab.Leaf, dtab.Alt, dtab.Union}).Draw(t, "op")
		if depth == 0 && op >= dtab.Alt {
			op = dtab.Leaf
		}
		n := tree{Op: op}
		switch op {
		case dtab.Leaf:
			n.Value = paths().Draw(t, "leaf")
		case dtab.Alt, dtab.Union:
			n.Kids = rapid.SliceOfN(trees(depth-1, minKids), minKids, 4).Draw(t, "kids")
			for i := range n.Kids {
				if op == dtab.Union {
					n.Kids[i].Weight = weights().Draw(t, "weight")
				}
			}
		default:
		}
		return n
	})
}

// dtabs draws rules over the first elements of paths.
func dtabs() *rapid.Generator[dtab.Dtab] {
	elem := rapid.SampledFrom([]string{"a", "b", "ab", "*", "*", `\x2a`, `\x2f`, "#"})
	return rapid.Custom(func(t *rapid.T) dtab.Dtab {
		var d dtab.Dtab
		for range rapid.IntRange(0, 12).Draw(t, "rules") {
			prefix := ""
			for _, e := range rapid.SliceOfN(elem, 0, 4).Draw(t, "prefix") {
				prefix += "/" + e
			}
			if prefix == "" {
				prefix = "/"
			}
			d = append(d, dtab.Dentry{Prefix: dtab.MustPrefix(prefix), Dst: trees(2, 2).Draw(t, "dst")})
		}
		return d
	})
}

func TestPathRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q := paths().Draw(t, "p"), paths().Draw(t, "q")
		assert.Equal(t, p, dtab.MustPath(p.String()))
		again, err := dtab.PathOf(p.Strings()...)
		require.NoError(t, err)
		assert.Equal(t, p, again)

		both := p.Concat(q)
		assert.Equal(t, append(p.Strings(), q.Strings()...), both.Strings())
		assert.True(t, both.HasPrefix(p))
		assert.Equal(t, q, both.Drop(p.Len()))
		assert.Equal(t, p, both.Take(p.Len()))
		assert.Equal(t, q.HasPrefix(p), q.Take(p.Len()) == p)
	})
}

func TestTreeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := trees(4, 2).Draw(t, "tree")
		out, err := dtab.ParseTree(dtab.ShowTree(in))
		require.NoError(t, err)
		assert.True(t, dtab.Equal(in, out), dtab.ShowTree(in))
	})
}

func TestSimplifyKeepsMeaning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := trees(4, 0).Draw(t, "tree")
		simple := dtab.Simplify(in)
		want, wantOK := dtab.Eval(in)
		got, gotOK := dtab.Eval(simple)
		assert.Equal(t, wantOK, gotOK)
		assert.Equal(t, want, got)
		assert.True(t, dtab.Equal(simple, dtab.Simplify(simple)), "simplifying again changes nothing")
	})
}

// lookup is §2.4 in the plainest words.
func lookup(d dtab.Dtab, p dtab.Path) tree {
	var found []tree
	for _, e := range slices.Backward(d) {
		x := e.Prefix
		ok := x.Len() <= p.Len()
		for j := 0; ok && j < x.Len(); j++ {
			ok = x.Wildcard(j) || x.Elem(j) == p.Elem(j)
		}
		if ok {
			found = append(found, dtab.Map(e.Dst, func(q dtab.Path) dtab.Path { return q.Concat(p.Drop(x.Len())) }))
		}
	}
	switch len(found) {
	case 0:
		return tree{}
	case 1:
		return found[0]
	}
	return dtab.AltOf(found...)
}

func TestIndexIsLookup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, p := dtabs().Draw(t, "dtab"), paths().Draw(t, "path")
		want := lookup(d, p)
		assert.Equal(t, want, d.Lookup(p))
		assert.Equal(t, want, dtab.NewIndex(d).Lookup(p))
		n := rapid.IntRange(0, len(d)).Draw(t, "base")
		x := dtab.NewIndex(d[:n])
		assert.Equal(t, want, x.LookupWith(d[n:], p))
		assert.Equal(t, d.Matches(p), dtab.NewIndex(d).Matches(p))
		assert.Equal(t, d.Matches(p), x.MatchesWith(d[n:], p))
		for _, m := range d.Matches(p) {
			assert.Equal(t, d[m.Pos], m.Dentry)
			assert.Equal(t, d[m.Pos:m.Pos+1].Lookup(p), m.Tree())
		}
	})
}

// near reports equality but for the weights, which may be off by what printing
// loses.
func near(a, b tree) bool {
	if a.Op != b.Op || a.Value != b.Value || len(a.Kids) != len(b.Kids) || math.Abs(a.Weight-b.Weight) > .0050001+1e-12*a.Weight {
		return false
	}
	for i := range a.Kids {
		if !near(a.Kids[i], b.Kids[i]) {
			return false
		}
	}
	return true
}

func FuzzParsePath(f *testing.F) {
	for _, v := range pathVectors {
		f.Add(v.in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := dtab.ParsePath(s)
		if err != nil {
			checkError(t, s, err)
			return
		}
		assert.Equal(t, p, dtab.MustPath(p.String()))
		again, err := dtab.PathOf(p.Strings()...)
		require.NoError(t, err)
		assert.Equal(t, p, again)
	})
}

func FuzzParseTree(f *testing.F) {
	for _, v := range treeVectors {
		f.Add(v.in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		in, err := dtab.ParseTree(s)
		if err != nil {
			checkError(t, s, err)
			return
		}
		out, err := dtab.ParseTree(dtab.ShowTree(in))
		require.NoError(t, err)
		assert.True(t, near(in, out), "%q", dtab.ShowTree(in))
	})
}

func FuzzParse(f *testing.F) {
	for _, vs := range [][]vector{dentryVectors, dtabVectors} {
		for _, v := range vs {
			f.Add(v.in)
		}
	}
	for _, v := range lookupVectors {
		f.Add(v.dtab)
	}
	f.Fuzz(func(t *testing.T, s string) {
		in, err := dtab.Parse(s)
		if err != nil {
			checkError(t, s, err)
			return
		}
		out, err := dtab.Parse(in.String())
		require.NoError(t, err)
		require.Len(t, out, len(in))
		for i := range in {
			assert.Equal(t, in[i].Prefix, out[i].Prefix)
			assert.True(t, near(in[i].Dst, out[i].Dst), "%q", in[i].String())
		}
	})
}

// checkError checks what holds of every error of a parser.
func checkError(t *testing.T, s string, err error) {
	t.Helper()
	var e *dtab.SyntaxError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, s, e.Input)
	assert.LessOrEqual(t, e.Offset, len(s))
	assert.GreaterOrEqual(t, e.Line, 1)
	assert.GreaterOrEqual(t, e.Column, 1)
	assert.Contains(t, e.Error(), " expected but ")
}
