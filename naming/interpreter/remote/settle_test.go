package remote_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/namerdtest"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/remote"
)

func bound(text string) dtab.Tree[*naming.Bound] {
	return dtab.Map(dtab.MustTree(text), func(p dtab.Path) *naming.Bound { return &naming.Bound{ID: p} })
}

func TestSettle(t *testing.T) {
	for in, want := range map[string]string{
		"/a":                          "/a",
		"/a | /b":                     "/a",
		"~ | /b":                      "/b",
		"~ | ~":                       "~",
		"! | /b":                      "!",
		"$ | /b":                      "$",
		"0.5*(~ | /a) & 0.5*(/b | ~)": "0.5*/a & 0.5*/b",
		"0.5*~ & 0.5*/b":              "/b",
		"(0.5*~ & 0.5*!) | /c":        "/c",
		"(1*/a & 3*/b) | /c":          "1*/a & 3*/b",
	} {
		got, wanted := remote.Settle(bound(in)), bound(want)
		assert.True(t, namerdtest.SameTree(wanted, got), "%s is %v", in, got)
	}
	rapid.Check(t, func(t *rapid.T) {
		tree := namerdtest.BoundTrees().Draw(t, "tree")
		got := remote.Settle(tree)
		assert.NotContains(t, ops(got), dtab.Alt)
		assert.True(t, namerdtest.SameTree(got, remote.Settle(got)), "settled is settled")
	})
}

func ops(t dtab.Tree[*naming.Bound]) []dtab.Op {
	all := []dtab.Op{t.Op}
	for _, k := range t.Kids {
		all = append(all, ops(k)...)
	}
	return all
}

func TestCheckCompletes(t *testing.T) {
	c, err := remote.Config{}.Check(5*time.Second, 4*time.Second)
	require.NoError(t, err)
	assert.Equal(t, []time.Duration{5 * time.Second, 600 * time.Second, 5 * time.Second, 4 * time.Second},
		[]time.Duration{c.RetryBase, c.RetryMax, c.PingEvery, c.PingTimeout})
	c, err = remote.Config{RetryBase: time.Hour}.Check(5*time.Second, 4*time.Second)
	require.NoError(t, err)
	assert.Equal(t, time.Hour, c.RetryMax)
}
