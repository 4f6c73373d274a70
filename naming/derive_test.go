package naming_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

func TestDeriveComputesOncePerValue(t *testing.T) {
	src := weft.NewVar(1)
	calls := 0
	d := naming.Derive(src, func(i int) *int {
		calls++
		i *= 10
		return &i
	})
	first, stale := d.Load()
	again, _ := d.Load()
	require.Same(t, first, again)
	require.Equal(t, 1, calls)
	src.Store(2)
	<-stale
	next, _ := d.Load()
	require.Equal(t, 20, *next)

	_, stale = naming.Derive(weft.Const[int]{V: 1}, func(i int) int { return i }).Load()
	require.Nil(t, stale)
}

func TestAny(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for n := range 5 {
			for fires := range n {
				signals := make([]<-chan struct{}, n)
				for i := range signals {
					c := make(chan struct{})
					signals[i] = c
					if i == fires {
						time.AfterFunc(time.Second, func() { close(c) })
					}
				}
				begin := time.Now()
				require.NoError(t, naming.Any(t.Context(), signals))
				require.Equal(t, time.Second, time.Since(begin))
			}
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errLost)
			require.ErrorIs(t, naming.Any(ctx, make([]<-chan struct{}, n)), errLost)
			cancel()
		}
	})
}

// More signals than one select takes.
func TestAnyOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make([]<-chan struct{}, 140_000)
		last := make(chan struct{})
		signals[len(signals)-1] = last
		time.AfterFunc(time.Second, func() { close(last) })
		require.NoError(t, naming.Any(t.Context(), signals))
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errLost)
		signals[len(signals)-1] = nil
		require.ErrorIs(t, naming.Any(ctx, signals), errLost)
	})
}

func TestLeafWhilePresent(t *testing.T) {
	var set weft.Var[naming.State[weft.EndpointSet]]
	var asked []context.Context
	src := naming.LeafWhilePresent(t.Context(), path("/#/s/web"), path("/r"),
		func(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] {
			asked = append(asked, ctx)
			return &set
		})
	load := func() answer {
		a, _ := src.Load()
		return a
	}
	require.True(t, load().Pending())
	set.Store(naming.Failed[weft.EndpointSet](errLost))
	require.Equal(t, naming.Failed[tree](errLost), load())
	set.Store(naming.Ok(endpoints("10.0.0.1:80")))
	name := load().Value.Value.Bound
	require.Equal(t, "/#/s/web + /r", showName(name))
	set.Store(naming.Ok(endpoints()))
	require.Same(t, name, load().Value.Value.Bound, "the name is another thing than its endpoints")
	set.Store(naming.Ok(weft.EndpointSet{Neg: true}))
	require.Equal(t, naming.Ok(tree{Op: dtab.Neg}), load())

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	name.Addrs(ctx)
	require.Equal(t, []context.Context{t.Context(), ctx}, asked, "who uses the endpoints keeps them up to date")
}
