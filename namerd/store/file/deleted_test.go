package file_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/namerd"
)

// TestManyDeleted is that of thousands of deleted namespaces the last 1000 are
// remembered, and that the others do not have one of their versions again.
func TestManyDeleted(t *testing.T) {
	ctx, note := t.Context(), namerd.Note{}
	path := filepath.Join(quickDir(t), "dtabs.db")
	s := open(t, path)
	last, err := s.Put(ctx, "first", nil, note)
	require.NoError(t, err)
	for range 5 {
		last, err = s.Put(ctx, "first", nil, note)
		require.NoError(t, err)
	}
	require.NoError(t, s.Delete(ctx, "first", "", note))
	_, err = s.Put(ctx, "back", nil, note)
	require.NoError(t, err)
	require.NoError(t, s.Delete(ctx, "back", "", note))
	back, err := s.Put(ctx, "back", nil, note) // it has no grave any more
	require.NoError(t, err)
	var all sync.WaitGroup
	for w := range 100 {
		all.Go(func() {
			for i := range 15 {
				ns := fmt.Sprint(w, "-", i)
				if _, err := s.Put(ctx, ns, nil, note); err != nil {
					t.Error(err)
				}
				if err := s.Delete(ctx, ns, "", note); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	remembered := func() (n int) {
		for w := range 100 {
			for i := range 15 {
				changes, err := s.History(ctx, fmt.Sprint(w, "-", i), 100)
				require.NoError(t, err)
				n += len(changes) / 2
			}
		}
		return n
	}
	assert.Equal(t, 1000, remembered())
	forgotten, err := s.Get(ctx, "first")
	require.NoError(t, err)
	assert.Equal(t, uint64(10+100*15*2), forgotten.Revision.N, "as one that there never was: the present one")
	require.NoError(t, s.Close())
	s = open(t, path)
	assert.Equal(t, 1000, remembered())
	changes, err := s.History(ctx, "back", 100)
	require.NoError(t, err)
	assert.Len(t, changes, 3)
	st, err := s.Get(ctx, "back")
	require.NoError(t, err)
	assert.Equal(t, back, st.Version)
	v, err := s.Create(ctx, "first", nil, note)
	require.NoError(t, err)
	assert.Greater(t, v, last)
	changes, err = s.History(ctx, "first", 100)
	require.NoError(t, err)
	assert.Len(t, changes, 1)
}
