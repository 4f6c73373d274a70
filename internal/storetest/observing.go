package storetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

type (
	storedState = naming.State[namerd.Stored]
	listState   = naming.State[[]string]
)

// await waits until ok holds for what an observer sees.
func await[T any](t tb, h Harness, src weft.Source[naming.State[T]], what string, ok func(naming.State[T]) bool) naming.State[T] {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), h.Within)
	defer cancel()
	st, err := weft.Until(ctx, src, ok)
	require.NoErrorf(t, err, "an observer has not seen %s within %v; it sees %+v", what, h.Within, st)
	return st
}

// awaitDtab waits until an observer sees a dtab at a version.
func awaitDtab(t tb, h Harness, src weft.Source[storedState], d dtab.Dtab, v namerd.Version) namerd.Stored {
	t.Helper()
	return await(t, h, src, fmt.Sprintf("%.80q at version %q", d.String(), v), func(s storedState) bool {
		return s.Known && s.Err == nil && s.Value.Exists && s.Value.Version == v && s.Value.Dtab.Exact() == d.Exact()
	}).Value
}

// awaitNone waits until an observer sees that there is no namespace.
func awaitNone(t tb, h Harness, src weft.Source[storedState]) namerd.Stored {
	t.Helper()
	return await(t, h, src, "that the namespace is gone", func(s storedState) bool { return s.Known && s.Err == nil && !s.Value.Exists }).Value
}

// awaitNames waits until an observer of a list sees names of the group.
func awaitNames(t tb, h Harness, src weft.Source[listState], g group, want ...string) {
	t.Helper()
	await(t, h, src, fmt.Sprint("namespaces ", want), func(s listState) bool {
		return s.Known && s.Err == nil && fmt.Sprint(g.of(s.Value)) == fmt.Sprint(want)
	})
}

// recording has everything that an observer has seen.
type recording[T any] struct {
	done chan struct{}
	end  sync.WaitGroup
	all  []naming.State[T]
}

func record[T any](src weft.Source[naming.State[T]]) *recording[T] {
	r := &recording[T]{done: make(chan struct{})}
	r.end.Go(func() {
		for {
			st, stale := src.Load()
			r.all = append(r.all, st)
			select {
			case <-stale:
			case <-r.done:
				return
			}
		}
	})
	return r
}

// stop ends the recording and returns it.
func (r *recording[T]) stop() []naming.State[T] {
	close(r.done)
	r.end.Wait()
	return r.all
}

// requireForward checks that what an observer has seen never went back, neither in
// revisions nor to a version that it had seen before another one, and was never lost
// once known.
func requireForward(t tb, h Harness, all []storedState) {
	t.Helper()
	known, last := false, namerd.Revision{}
	left, current := map[namerd.Version]bool{}, namerd.Version("")
	for _, st := range all {
		require.Falsef(t, known && !st.Known, "what was known is not any more: %+v", st)
		if known = st.Known; !known {
			continue
		}
		v := st.Value
		if !h.NoRevision {
			require.NotEmptyf(t, v.Revision.Of, "no revision in %+v", v)
			require.NotZerof(t, v.Revision.N, "no revision in %+v", v)
			if last.Of != "" {
				require.Equal(t, last.Of, v.Revision.Of)
			}
			require.Falsef(t, v.Revision.Before(last), "revision %v after %v", v.Revision, last)
			last = v.Revision
		}
		if v.Version != current {
			require.Falsef(t, v.Version != "" && left[v.Version], "version %q is seen again after others", v.Version)
			left[current], current = true, v.Version
		}
	}
}

// unchanged checks that the value of a source was not set since stale was loaded from it.
func unchanged(t tb, stale <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-stale:
		require.Fail(t, "a spurious wakeup", what)
	case <-time.After(50 * time.Millisecond):
	}
}
