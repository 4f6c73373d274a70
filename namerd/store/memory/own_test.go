package memory_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/memory"
)

func newStore(tb testing.TB, o memory.Options) *memory.Store {
	tb.Helper()
	s := memory.New(o)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

// TestNamespaces is what the store begins with, at the ETag that namerd gives it.
func TestNamespaces(t *testing.T) {
	d := dtab.MustParse("/svc=>/#/io.l5d.fs")
	s := newStore(t, memory.Options{Namespaces: map[string]dtab.Dtab{"default": d, "empty": nil}})
	list, err := s.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"default", "empty"}, list)
	st, err := s.Get(t.Context(), "default")
	require.NoError(t, err)
	assert.Equal(t, d, st.Dtab)
	assert.Equal(t, "AAAAAAAAAAE=", base64.StdEncoding.EncodeToString([]byte(st.Version)))
	v, err := s.Update(t.Context(), "default", nil, st.Version, namerd.Note{})
	require.NoError(t, err)
	assert.Equal(t, "AAAAAAAAAAI=", base64.StdEncoding.EncodeToString([]byte(v)))
}

// TestRevisions is that those of two stores cannot be compared.
func TestRevisions(t *testing.T) {
	a, b := newStore(t, memory.Options{}), newStore(t, memory.Options{})
	_, err := a.Put(t.Context(), "x", nil, namerd.Note{})
	require.NoError(t, err)
	x, err := a.Get(t.Context(), "x")
	require.NoError(t, err)
	y, err := b.Get(t.Context(), "x")
	require.NoError(t, err)
	assert.NotEqual(t, x.Revision.Of, y.Revision.Of)
	assert.Equal(t, uint64(1), x.Revision.N)
}

// TestNothingIsShared is that a caller who writes to a dtab after it was stored changes
// nothing.
func TestNothingIsShared(t *testing.T) {
	d := dtab.MustParse("/svc=>/a")
	s := newStore(t, memory.Options{})
	_, err := s.Put(t.Context(), "x", d, namerd.Note{})
	require.NoError(t, err)
	d[0] = dtab.Nop()
	st, err := s.Get(t.Context(), "x")
	require.NoError(t, err)
	assert.Equal(t, "/svc=>/a", st.Dtab.String())
}

// TestManyDeleted is that of thousands of deleted namespaces the last 1000 are
// remembered, and that the others do not have one of their versions again.
func TestManyDeleted(t *testing.T) {
	ctx, s, note := t.Context(), newStore(t, memory.Options{}), namerd.Note{}
	var last namerd.Version
	for range 5 {
		v, err := s.Put(ctx, "first", nil, note)
		require.NoError(t, err)
		last = v
	}
	require.NoError(t, s.Delete(ctx, "first", "", note))
	_, err := s.Put(ctx, "back", nil, note)
	require.NoError(t, err)
	require.NoError(t, s.Delete(ctx, "back", "", note))
	back, err := s.Put(ctx, "back", nil, note) // it has no grave any more
	require.NoError(t, err)
	for i := range 1500 {
		ns := fmt.Sprint(i)
		_, err := s.Put(ctx, ns, nil, note)
		require.NoError(t, err)
		require.NoError(t, s.Delete(ctx, ns, "", note))
	}
	for i := range 1500 {
		changes, err := s.History(ctx, fmt.Sprint(i), 100)
		require.NoError(t, err)
		if i < 500 {
			require.Empty(t, changes)
		} else {
			require.Len(t, changes, 2)
		}
	}
	changes, err := s.History(ctx, "back", 100)
	require.NoError(t, err)
	assert.Len(t, changes, 3)
	st, err := s.Get(ctx, "back")
	require.NoError(t, err)
	assert.Equal(t, back, st.Version)
	v, err := s.Create(ctx, "first", nil, note)
	require.NoError(t, err)
	assert.Greater(t, v, last)
}

func Example() {
	ctx := context.Background()
	store := memory.New(memory.Options{Namespaces: map[string]dtab.Dtab{"default": dtab.MustParse("/svc => /#/io.l5d.fs")}})
	defer store.Close()
	stored, err := store.Get(ctx, "default")
	fmt.Println(stored.Dtab, err)
	_, err = store.Update(ctx, "default", dtab.MustParse("/svc => /#/io.l5d.dns"), stored.Version, namerd.Note{Reason: "we have moved"})
	fmt.Println(err)
	_, err = store.Update(ctx, "default", nil, stored.Version, namerd.Note{})
	fmt.Println(err)
	// Output:
	// /svc=>/#/io.l5d.fs <nil>
	// <nil>
	// Could not update dtab: current version does not match provided version
}

func BenchmarkPut(b *testing.B) {
	d := dtab.MustParse("/svc=>/#/io.l5d.fs;/svc/users=>1*/svc/users-v2&9*/svc/users-v1")
	s := newStore(b, memory.Options{})
	for b.Loop() {
		if _, err := s.Put(b.Context(), "default", d, namerd.Note{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}
