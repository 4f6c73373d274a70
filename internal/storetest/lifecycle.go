package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// comeAndGo is that observers that have gone leave nothing behind.
func (h Harness) comeAndGo(t *testing.T) {
	t.Helper()
	g, s := newGroup(), h.Fresh(t)
	d := dtab.MustParse("/svc=>/#/a")
	v, err := s.Put(t.Context(), g.name("0"), d, namerd.Note{})
	require.NoError(t, err)
	for round := range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 20 {
			_ = s.Observe(ctx, g.name(strconv.Itoa(i)))
			_ = s.Namespaces(ctx)
			short, end := context.WithCancel(ctx)
			_ = s.Observe(short, g.name(strconv.Itoa(i)))
			end()
		}
		awaitDtab(t, h, s.Observe(ctx, g.name("0")), d, v)
		assert.GreaterOrEqualf(t, len(s.Watches()), 21, "round %d: Watches shows what is observed", round)
		cancel()
	}
	require.Eventually(t, func() bool { return len(s.Watches()) == 0 }, h.Within, 10*time.Millisecond, "watches that nobody needs go on")
	awaitDtab(t, h, s.Observe(t.Context(), g.name("0")), d, v)
}

// closing is that Close ends everything, and that nothing works after it.
func (h Harness) closing(t *testing.T) {
	t.Helper()
	ctx, ns, note := t.Context(), newNamespace(), namerd.Note{}
	s := h.Fresh(t)
	d := dtab.MustParse("/svc=>/#/a")
	v, err := s.Create(ctx, ns, d, note)
	require.NoError(t, err)
	dtabs, list := s.Observe(ctx, ns), s.Namespaces(ctx)
	awaitDtab(t, h, dtabs, d, v)
	await(t, h, list, "the list", func(s listState) bool { return s.Known })

	var busy sync.WaitGroup
	for i := range 4 {
		busy.Go(func() {
			for ctx.Err() == nil { // until it fails, since Close is called meanwhile
				_, err := s.Put(ctx, ns+strconv.Itoa(i), d, note)
				_, got := s.Get(ctx, ns)
				if err != nil || got != nil {
					return
				}
			}
		})
	}
	require.NoError(t, s.Close())
	busy.Wait()
	require.NoError(t, s.Close(), "closed again")

	st, _ := dtabs.Load()
	assert.True(t, st.Known, "what observers have stands still")
	assert.Equal(t, v, st.Value.Version)
	_, err = s.Get(ctx, ns)
	require.Error(t, err)
	_, err = s.List(ctx)
	require.Error(t, err)
	_, err = s.History(ctx, ns, 1)
	require.Error(t, err)
	_, err = s.Put(ctx, ns, d, note)
	require.Error(t, err)
	require.Error(t, s.Delete(ctx, ns, "", note))
	after, _ := s.Observe(ctx, ns).Load()
	require.Error(t, after.Err)
	afterList, _ := s.Namespaces(ctx).Load()
	require.Error(t, afterList.Err)
}

// cancelled is that nothing waits for a context that has ended, and that a write
// whose context ended before it began was not made.
func (h Harness) cancelled(t *testing.T) {
	t.Helper()
	g, s, note := newGroup(), h.Open(t), namerd.Note{}
	ns, d := g.name("a"), dtab.MustParse("/svc=>/#/a")
	v, err := s.Create(t.Context(), ns, d, note)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fails := func(op string, err error) {
		t.Helper()
		require.Truef(t, errors.Is(err, context.Canceled), "%s: %v", op, err)
	}
	_, err = s.List(ctx)
	fails("list", err)
	_, err = s.Get(ctx, ns)
	fails("get", err)
	_, err = s.History(ctx, ns, 1)
	fails("history", err)
	_, err = s.Create(ctx, g.name("b"), d, note)
	fails("create", err)
	_, err = s.Update(ctx, ns, nil, v, note)
	fails("update", err)
	_, err = s.Put(ctx, ns, nil, note)
	fails("put", err)
	fails("delete", s.Delete(ctx, ns, v, note))
	_, _ = s.Observe(ctx, ns).Load()
	_, _ = s.Namespaces(ctx).Load()
	requireStored(t, s, ns, namerd.Stored{Exists: true, Dtab: d, Version: v})
	requireStored(t, s, g.name("b"), namerd.Stored{})
}

// restart is that observers keep what they have seen while the server is away, and
// see what is written after it has come back.
func (h Harness) restart(t *testing.T) {
	t.Helper()
	if h.Restart == nil {
		return
	}
	ctx, g, note := t.Context(), newGroup(), namerd.Note{}
	ns, d := g.name("a"), dtab.MustParse("/svc=>/#/a")
	one, two := h.Open(t), h.Open(t)
	v, err := one.Create(ctx, ns, d, note)
	require.NoError(t, err)
	src, list := two.Observe(ctx, ns), two.Namespaces(ctx)
	awaitDtab(t, h, src, d, v)
	awaitNames(t, h, list, g, ns)
	r := record(src)
	for round := range 2 {
		h.Restart(t)
		st, _ := src.Load()
		require.True(t, st.Known && st.Value.Exists, "the last good value is kept through an outage")
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			got, err := one.Get(ctx, ns)
			assert.NoError(c, err)
			assert.Equal(c, v, got.Version)
		}, h.Within, 50*time.Millisecond, "what was acknowledged is there after a restart")
		d = dtab.MustParse(fmt.Sprintf("/svc=>/#/%d", round))
		v, err = one.Update(ctx, ns, d, v, note)
		require.NoError(t, err)
		awaitDtab(t, h, src, d, v)
	}
	_, err = two.Create(ctx, g.name("b"), d, note)
	require.NoError(t, err)
	awaitNames(t, h, list, g, ns, g.name("b"))
	all := r.stop()
	requireForward(t, h, all)
	for _, st := range all {
		require.True(t, !st.Known || st.Value.Exists, "the namespace seemed to be gone")
	}
}
