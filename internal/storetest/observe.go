package storetest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// observe is that observers of both handles see each write of either, in order.
func (h Harness) observe(t *testing.T) {
	t.Helper()
	ctx, g := t.Context(), newGroup()
	ns, note := g.name("a"), namerd.Note{}
	handles := []namerd.Store{h.Open(t), h.Open(t)}
	var dtabs []weft.Source[storedState]
	var lists []weft.Source[listState]
	var records []*recording[namerd.Stored]
	for _, s := range handles {
		dtabs = append(dtabs, s.Observe(ctx, ns))
		lists = append(lists, s.Namespaces(ctx))
		records = append(records, record(dtabs[len(dtabs)-1]))
	}
	revision := namerd.Revision{}
	later := func(st namerd.Stored) {
		t.Helper()
		require.Falsef(t, st.Revision.Before(revision), "revision %v after %v", st.Revision, revision)
	}
	is := func(d dtab.Dtab, v namerd.Version) {
		t.Helper()
		for i := range handles {
			later(awaitDtab(t, h, dtabs[i], d, v))
			awaitNames(t, h, lists[i], g, ns)
		}
		st, err := handles[0].Get(ctx, ns)
		require.NoError(t, err)
		later(st)
		revision = st.Revision
	}
	gone := func() {
		t.Helper()
		for i := range handles {
			later(awaitNone(t, h, dtabs[i]))
			awaitNames(t, h, lists[i], g)
		}
	}
	gone()
	for round := range 3 {
		by := func(i int) namerd.Store { return handles[(round+i)%2] }
		d := func(i int) dtab.Dtab { return dtab.MustParse(fmt.Sprintf("/svc=>/#/%d/%d", round, i)) }
		v, err := by(0).Create(ctx, ns, d(0), note)
		require.NoError(t, err)
		is(d(0), v)
		v, err = by(1).Update(ctx, ns, d(1), v, note)
		require.NoError(t, err)
		is(d(1), v)
		v, err = by(0).Update(ctx, ns, d(1), v, note) // the same dtab: a new version all the same
		require.NoError(t, err)
		is(d(1), v)
		require.NoError(t, by(1).Delete(ctx, ns, v, note))
		gone()
		v, err = by(0).Put(ctx, ns, nil, note)
		require.NoError(t, err)
		is(nil, v)
		require.NoError(t, by(1).Delete(ctx, ns, "", note))
		v, err = by(0).Put(ctx, ns, d(2), note) // deleted and made again before anybody looked
		require.NoError(t, err)
		is(d(2), v)
		require.NoError(t, by(0).Delete(ctx, ns, "", note))
		gone()
	}
	for _, r := range records {
		requireForward(t, h, r.stop())
	}
}

// burst is that observers may miss writes that follow each other quickly, but not the
// last one, and never see one after a later one.
func (h Harness) burst(t *testing.T) {
	t.Helper()
	ctx, ns, note := t.Context(), newNamespace(), namerd.Note{}
	one, two := h.Open(t), h.Open(t)
	src := two.Observe(ctx, ns)
	r := record(src)
	made := map[namerd.Version]int{}
	var last namerd.Version
	var d dtab.Dtab
	for i := range 60 {
		s := one
		if i%3 == 1 {
			s = two
		}
		if i%20 == 19 {
			require.NoError(t, s.Delete(ctx, ns, last, note))
		}
		d = dtab.MustParse(fmt.Sprintf("/svc=>/#/%d", i))
		v, err := s.Put(ctx, ns, d, note)
		require.NoError(t, err)
		made[v], last = i, v
	}
	awaitDtab(t, h, src, d, last)
	all := r.stop()
	requireForward(t, h, all)
	at := -1
	for _, st := range all {
		if !st.Value.Exists {
			continue
		}
		i, ok := made[st.Value.Version]
		require.Truef(t, ok, "version %q is seen, which no write has made", st.Value.Version)
		require.GreaterOrEqual(t, i, at, "an older value after a newer one")
		require.Equal(t, fmt.Sprintf("/svc=>/#/%d", i), st.Value.Dtab.String())
		at = i
	}
	// whoever comes later sees the last one, too
	for _, s := range []namerd.Store{one, two} {
		awaitDtab(t, h, s.Observe(ctx, ns), d, last)
	}
}

// wakeups is that nobody is woken up by what happens in other namespaces, and
// observers of the list only by creations and deletions.
func (h Harness) wakeups(t *testing.T) {
	t.Helper()
	ctx, g, note := t.Context(), newGroup(), namerd.Note{}
	one, two := h.Open(t), h.Open(t)
	mine, other, absent := g.name("a"), g.name("ab"), g.name("abc")
	d := dtab.MustParse("/svc=>/#/a")
	v, err := one.Create(ctx, mine, d, note)
	require.NoError(t, err)
	w, err := one.Create(ctx, other, d, note)
	require.NoError(t, err)
	for _, s := range []namerd.Store{one, two} {
		// whatever the watches have to settle at their beginning
		awaitDtab(t, h, s.Observe(ctx, mine), d, v)
		awaitNone(t, h, s.Observe(ctx, absent))
		awaitNames(t, h, s.Namespaces(ctx), g, mine, other)
	}
	type wait struct {
		what  string
		stale <-chan struct{}
	}
	var waits []wait
	for _, s := range []namerd.Store{one, two} {
		_, stale := s.Observe(ctx, mine).Load()
		waits = append(waits, wait{"the observer of another namespace", stale})
		_, stale = s.Observe(ctx, absent).Load()
		waits = append(waits, wait{"the observer of an absent namespace", stale})
		_, stale = s.Namespaces(ctx).Load()
		waits = append(waits, wait{"the observer of the list", stale})
	}
	for i := range 10 {
		d = dtab.MustParse(fmt.Sprintf("/svc=>/#/%d", i))
		w, err = one.Update(ctx, other, d, w, note)
		require.NoError(t, err)
	}
	awaitDtab(t, h, one.Observe(ctx, other), d, w)
	awaitDtab(t, h, two.Observe(ctx, other), d, w)
	_, err = two.Create(ctx, other, d, note)
	require.ErrorIs(t, err, namerd.ErrExists)
	for _, x := range waits {
		unchanged(t, x.stale, x.what)
	}
	assert.NoError(t, two.Delete(ctx, other, "", note))
	for _, s := range []namerd.Store{one, two} {
		awaitNames(t, h, s.Namespaces(ctx), g, mine)
	}
	for _, x := range waits {
		if x.what != "the observer of the list" {
			unchanged(t, x.stale, x.what)
		}
	}
}
