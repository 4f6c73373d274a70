package storetest

import (
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

// honest returns a history of n writes in which nothing is wrong, its last value and
// its changes.
func honest(n int) (c *chain, last namerd.Stored, changes []namerd.Change) {
	d := dtab.MustParse("/first=>~")
	c = newChain("ns", "0", d)
	last = namerd.Stored{Exists: true, Dtab: d, Version: "0"}
	seen := []storedState{naming.Ok(last)}
	for i := 1; i <= n; i++ {
		a := attempt{id: "w-" + strconv.Itoa(i), base: last, made: namerd.Version(strconv.Itoa(i)), outcome: made}
		c.add(a)
		c.add(attempt{id: "x-" + strconv.Itoa(i), base: last, outcome: refused})
		last = namerd.Stored{Exists: true, Dtab: appended(last.Dtab, a.id), Version: a.made}
		changes = append([]namerd.Change{{Note: namerd.Note{Author: a.id}, Version: a.made}}, changes...)
		seen = append(seen, naming.Ok(last))
	}
	c.observed = [][]storedState{seen}
	return c, last, changes
}

// TestChain is that the history checker accepts what is right, and finds what is not.
func TestChain(t *testing.T) {
	c, last, changes := honest(30)
	require.Empty(t, c.check(last, changes))
	for name, test := range map[string]struct {
		spoil func(c *chain, last *namerd.Stored, changes *[]namerd.Change)
		want  string
	}{
		"lost at the end": {func(c *chain, _ *namerd.Stored, _ *[]namerd.Change) {
			c.add(attempt{id: "y-1", base: c.attempts[58].base, made: "31", outcome: made})
		}, "write y-1 was acknowledged and is lost"},
		"two on one version": {func(c *chain, _ *namerd.Stored, _ *[]namerd.Change) {
			c.add(attempt{id: "y-1", base: c.attempts[10].base, made: "31", outcome: made})
		}, `writes w-6 and y-1 were both acknowledged on version "5"`},
		"refused and made": {func(c *chain, _ *namerd.Stored, _ *[]namerd.Change) {
			c.attempts[10].outcome = refused
		}, "write w-6 was refused and made all the same"},
		"made twice": {func(_ *chain, last *namerd.Stored, _ *[]namerd.Change) {
			last.Dtab = appended(last.Dtab, "w-30")
		}, "the last version is"},
		"made by nobody": {func(_ *chain, last *namerd.Stored, _ *[]namerd.Change) {
			last.Dtab = appended(last.Dtab, "z-1")
		}, "a rule that nobody wrote, or wrote twice"},
		"a version that repeats": {func(c *chain, last *namerd.Stored, _ *[]namerd.Change) {
			last.Version, c.attempts[58].made = "7", "7"
		}, `version "7" was made twice`},
		"another version than was told": {func(_ *chain, last *namerd.Stored, _ *[]namerd.Change) {
			last.Version = "31"
		}, `write w-30 was told version "30" and is at "31"`},
		"a value that changed": {func(c *chain, _ *namerd.Stored, _ *[]namerd.Change) {
			c.attempts[11].base.Dtab = nil
		}, `version "5" was read as`},
		"observed from nowhere": {func(c *chain, _ *namerd.Stored, _ *[]namerd.Change) {
			c.observed[0][7].Value.Version = "?"
		}, `version "?" was observed, which no write has made`},
		"observed too late": {func(c *chain, _ *namerd.Stored, _ *[]namerd.Change) {
			o := c.observed[0]
			o[7], o[8] = o[8], o[7]
		}, `version "7" was observed after a later one`},
		"changes in another order": {func(_ *chain, _ *namerd.Stored, changes *[]namerd.Change) {
			(*changes)[3], (*changes)[4] = (*changes)[4], (*changes)[3]
		}, `change 3 from the end was by w-27 and is said to be by "w-26"`},
		"a change that is missing": {func(_ *chain, _ *namerd.Stored, changes *[]namerd.Change) {
			*changes = slices.Delete(*changes, 0, 1)
		}, "the history ends with version"},
	} {
		t.Run(name, func(t *testing.T) {
			c, last, changes := honest(30)
			test.spoil(c, &last, &changes)
			problems := c.check(last, changes)
			require.NotEmpty(t, problems)
			assert.Contains(t, problems[0]+problems[len(problems)-1], test.want)
		})
	}
}

// TestUnknown is that an attempt of which nobody knows what came of it may be in the
// chain, or not.
func TestUnknown(t *testing.T) {
	c, last, changes := honest(30)
	c.attempts[10].outcome, c.attempts[10].made = unknown, "" // it is in
	c.add(attempt{id: "y-1", base: c.attempts[20].base, outcome: unknown})
	assert.Empty(t, c.check(last, changes))
	assert.Equal(t, 29, c.acknowledged())
}
