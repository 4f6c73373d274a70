package storetest

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// history is what is kept of changes: all of each, the latest first, by whatever
// handle they were made, a limited number.
func (h Harness) history(t *testing.T) {
	t.Helper()
	ctx, ns := t.Context(), newNamespace()
	one, two := h.Open(t), h.Open(t)
	none, err := one.History(ctx, ns, 10)
	require.NoError(t, err)
	assert.Empty(t, none)

	began := time.Now()
	var want []namerd.Change
	add := func(c namerd.Change, v namerd.Version, err error) {
		t.Helper()
		require.NoError(t, err)
		c.Version = v
		want = append([]namerd.Change{c}, want...)
	}
	note := func(text string) namerd.Note {
		return namerd.Note{Author: "who " + text, Reason: "why\n\"" + text + "\" ✓"}
	}
	a, b := dtab.MustParse("/svc=>/#/a"), dtab.MustParse("/svc=>/#/b;/s=>/svc")

	v1, err := one.Create(ctx, ns, a, note("1"))
	add(namerd.Change{Note: note("1"), Dtab: a}, v1, err)
	v2, err := two.Update(ctx, ns, b, v1, note("2"))
	add(namerd.Change{Note: note("2"), Dtab: b}, v2, err)
	_, err = one.Update(ctx, ns, b, v1, note("refused"))
	require.ErrorIs(t, err, namerd.ErrMismatch)
	_, err = two.Create(ctx, ns, b, note("refused"))
	require.ErrorIs(t, err, namerd.ErrExists)
	v3, err := two.Put(ctx, ns, nil, namerd.Note{})
	add(namerd.Change{}, v3, err)
	if !h.DeletedWithHistory {
		add(namerd.Change{Note: note("4"), Deleted: true}, "", one.Delete(ctx, ns, v3, note("4")))
		requireHistory(t, two, ns, 100, want, began)
		v5, err := two.Create(ctx, ns, a, note("5"))
		add(namerd.Change{Note: note("5"), Dtab: a}, v5, err)
	}
	for _, s := range []namerd.Store{one, two} {
		requireHistory(t, s, ns, 100, want, began)
		requireHistory(t, s, ns, len(want), want, began)
		requireHistory(t, s, ns, 2, want[:2], began)
		requireHistory(t, s, ns, 1, want[:1], began)
		requireHistory(t, s, ns, 0, nil, began)
	}
}

// longHistory is that at least as much is kept as was said.
func (h Harness) longHistory(t *testing.T) {
	t.Helper()
	ctx, ns, s := t.Context(), newNamespace(), h.Open(t)
	began := time.Now()
	want := make([]namerd.Change, 0, h.History+20)
	for i := range cap(want) {
		d := dtab.MustParse(fmt.Sprintf("/svc=>/#/%d", i))
		v, err := s.Put(ctx, ns, d, namerd.Note{Author: strconv.Itoa(i)})
		require.NoError(t, err)
		want = append(want, namerd.Change{Note: namerd.Note{Author: strconv.Itoa(i)}, Dtab: d, Version: v})
	}
	slices.Reverse(want)
	requireHistory(t, s, ns, h.History, want[:h.History], began)
	all, err := s.History(ctx, ns, 10*h.History)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, len(all), h.History)
	assert.Equal(t, versionsOf(want[:len(all)]), versionsOf(all))
}

// requireHistory checks the history of a namespace that was written since began.
func requireHistory(t tb, s namerd.Store, ns string, limit int, want []namerd.Change, began time.Time) {
	t.Helper()
	got, err := s.History(t.Context(), ns, limit)
	require.NoError(t, err)
	require.Len(t, got, len(want))
	for i, c := range got {
		w := want[i]
		require.Equal(t, w.Version, c.Version, "change %d", i)
		require.Equal(t, w.Note, c.Note, "change %d", i)
		require.Equal(t, w.Deleted, c.Deleted, "change %d", i)
		require.Equal(t, w.Dtab.String(), c.Dtab.String(), "change %d", i)
		require.WithinRange(t, c.At, began.Add(-2*time.Second), time.Now().Add(2*time.Second), "change %d", i)
	}
}

// versionsOf returns the versions of changes, quoted.
func versionsOf(changes []namerd.Change) []string {
	list := make([]string, len(changes))
	for i, c := range changes {
		list[i] = fmt.Sprintf("%q", c.Version)
	}
	return list
}
