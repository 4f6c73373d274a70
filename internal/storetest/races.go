package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// races is that of concurrent writes that exclude each other one is made, and the
// others fail with the error that says so.
func (h Harness) races(t *testing.T) {
	t.Helper()
	const n = 8
	ctx, ns, note := t.Context(), newNamespace(), namerd.Note{}
	handles := []namerd.Store{h.Open(t), h.Open(t)}
	rule := func(i int) dtab.Dtab { return dtab.MustParse(fmt.Sprintf("/svc=>/#/%d", i)) }
	race := func(want error, do func(s namerd.Store, i int) (namerd.Version, error)) (winner int, v namerd.Version) {
		t.Helper()
		var all sync.WaitGroup
		var versions [n]namerd.Version
		var errs [n]error
		for i := range n {
			all.Go(func() { versions[i], errs[i] = do(handles[i%2], i) })
		}
		all.Wait()
		winner = -1
		for i, err := range errs {
			if err == nil {
				require.Equalf(t, -1, winner, "%d and %d both succeed", winner, i)
				winner, v = i, versions[i]
				continue
			}
			require.Truef(t, errors.Is(err, want), "%v instead of %v", err, want)
		}
		require.NotEqual(t, -1, winner, "none succeeds")
		return winner, v
	}
	for range 5 {
		i, v := race(namerd.ErrExists, func(s namerd.Store, i int) (namerd.Version, error) { return s.Create(ctx, ns, rule(i), note) })
		requireStored(t, handles[0], ns, namerd.Stored{Exists: true, Dtab: rule(i), Version: v})
		for range 3 {
			base := v
			i, v = race(namerd.ErrMismatch, func(s namerd.Store, i int) (namerd.Version, error) { return s.Update(ctx, ns, rule(i), base, note) })
			requireStored(t, handles[1], ns, namerd.Stored{Exists: true, Dtab: rule(i), Version: v})
		}
		race(namerd.ErrMissing, func(s namerd.Store, i int) (namerd.Version, error) {
			given := v
			if i%2 == 0 {
				given = ""
			}
			return "", s.Delete(ctx, ns, given, note)
		})
		requireStored(t, handles[0], ns, namerd.Stored{})
	}
	h.puts(t, handles, ns)
}

// puts is that concurrent puts all succeed, creations among them, each with its own
// version.
func (h Harness) puts(t *testing.T, handles []namerd.Store, ns string) {
	t.Helper()
	const n = 8
	ctx := t.Context()
	var all sync.WaitGroup
	var versions [n]namerd.Version
	var errs [n]error
	for i := range n {
		all.Go(func() {
			versions[i], errs[i] = handles[i%2].Put(ctx, ns, dtab.MustParse(fmt.Sprintf("/svc=>/#/%d", i)), namerd.Note{})
		})
	}
	all.Wait()
	by := map[namerd.Version]int{}
	for i, v := range versions {
		require.NoError(t, errs[i])
		by[v] = i
	}
	require.Len(t, by, n, "versions repeat")
	got, err := handles[0].Get(ctx, ns)
	require.NoError(t, err)
	last, ok := by[got.Version]
	require.True(t, ok, "the version is none of those that were returned")
	require.Equal(t, fmt.Sprintf("/svc=>/#/%d", last), got.Dtab.String())
}
