package dtab_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft/dtab"
)

func TestExact(t *testing.T) {
	for in, want := range map[string]string{
		"/a => 0.9*/b & 0.1*/c":                                  "/a=>0.90*/b & 0.10*/c",
		"/a => 0.001*/b & 0.999*/c":                              "/a=>0.001*/b & 0.999*/c",
		"/a => 1*/b & 99*/c | /d":                                "/a=>/b & 99.00*/c | /d",
		"/a => 0.123456789*(/b | /c) & 100000000000000000000*/d": "/a=>0.123456789*(/b | /c) & 100000000000000000000.00*/d",
		"/a => ~ ; /b/* => !":                                    "/a=>~;/b/*=>!",
		"/a => 0.125*/b & 1.005*/c & 0.004999*/d":                "/a=>0.125*/b & 1.005*/c & 0.004999*/d",
	} {
		d, err := dtab.Parse(in)
		require.NoError(t, err)
		assert.Equal(t, want, d.Exact())
	}
	assert.Empty(t, dtab.Dtab(nil).Exact())
}

// TestExactIsReadBack: whatever the weights are.
func TestExactIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kids := rapid.SliceOfN(rapid.Float64Range(0, 1e9), 2, 5).Draw(t, "weights")
		var all []dtab.Tree[dtab.Path]
		for _, w := range kids {
			all = append(all, dtab.LeafOf(dtab.MustPath("/x")).Weighing(w))
		}
		tree := dtab.UnionOf(all...)
		same, err := dtab.ParseTree(dtab.ExactTree(tree))
		require.NoError(t, err)
		require.True(t, dtab.Equal(tree, same), "%s", dtab.ExactTree(tree))
	})
}

func FuzzExact(f *testing.F) {
	for _, s := range []string{
		"/a=>/b", "/a=>0.001*/b & 0.999*(/c | 3*/d & /e)", "/a=>(/b|(/c|/d))|~", "/a => ! | $", "/a=>1e-7*/x & /y", "/a=>0.005*(0.001*/b & /c) & /d",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := dtab.Parse(text)
		if err != nil {
			return
		}
		again, err := dtab.Parse(d.Exact())
		require.NoError(t, err, d.Exact())
		assert.True(t, d.Equal(again), "%s became %s", text, d.Exact())
	})
}
