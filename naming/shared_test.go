package naming_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/naming"
)

var errLost = errors.New("connection lost")

func value(s interface {
	Load() (naming.State[int], <-chan struct{})
},
) naming.State[int] {
	v, _ := s.Load()
	return v
}

func TestSharedRunsOneWatchForAllObservers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe()
		s := naming.NewShared(p, naming.SharedOptions{})
		defer func() { require.NoError(t, s.Close()) }()

		first := s.Observe(t.Context(), "a")
		require.True(t, value(first).Pending())
		synctest.Wait()
		p.report("a", naming.Ok(1))
		second := s.Observe(t.Context(), "a")
		require.Equal(t, naming.Ok(1), value(second), "a late observer sees what is known at once")
		p.report("a", naming.Ok(2))
		require.Equal(t, naming.Ok(2), value(first))
		require.Equal(t, naming.Ok(2), value(second))
		require.Equal(t, 1, p.started("a"))

		_ = s.Observe(t.Context(), "b")
		synctest.Wait()
		require.Equal(t, 1, p.started("b"), "another key has a watch of its own")
		require.Equal(t, 2, s.Len())
	})
}

func TestSharedLingers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe()
		s := naming.NewShared(p, naming.SharedOptions{Linger: 5 * time.Second})
		defer func() { require.NoError(t, s.Close()) }()
		observe := func() context.CancelFunc {
			ctx, cancel := context.WithCancel(t.Context())
			s.Observe(ctx, "a")
			synctest.Wait()
			return cancel
		}

		one, two := observe(), observe()
		one()
		time.Sleep(time.Minute)
		require.True(t, p.runs("a"), "somebody still observes")
		two()
		time.Sleep(4 * time.Second)
		require.True(t, p.runs("a"), "lingers")
		three := observe()
		time.Sleep(time.Minute)
		require.True(t, p.runs("a"), "an observer came in time")
		require.Equal(t, 1, p.started("a"))

		three()
		time.Sleep(5*time.Second + 1)
		synctest.Wait()
		require.False(t, p.runs("a"))
		require.Zero(t, s.Len(), "nothing is kept of a key that nobody observes")

		defer observe()()
		require.Equal(t, 2, p.started("a"), "the next observer begins anew")
	})
}

// A watch that fails while it lingers is started again: the next observer is to
// find it as good as if it had not been left alone.
func TestSharedRestartsWhileLingering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe()
		s := naming.NewShared(p, naming.SharedOptions{Linger: time.Minute})
		ctx, cancel := context.WithCancel(t.Context())
		s.Observe(ctx, "a")
		synctest.Wait()
		cancel()
		for range 3 {
			synctest.Wait()
			p.stop("a", errLost)
			time.Sleep(time.Second)
			synctest.Wait()
			require.True(t, p.runs("a"))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Zero(t, s.Len())
		require.NoError(t, s.Close())
	})
}

func TestSharedObserverWithEndedContextStartsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe()
		s := naming.NewShared(p, naming.SharedOptions{})
		defer func() { require.NoError(t, s.Close()) }()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.True(t, value(s.Observe(ctx, "a")).Pending())
		synctest.Wait()
		require.Zero(t, p.started("a"))
		require.Zero(t, s.Len())
	})
}

func TestSharedRestartsWithBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe()
		s := naming.NewShared(p, naming.SharedOptions{MinBackoff: 100 * time.Millisecond, MaxBackoff: time.Second})
		defer func() { require.NoError(t, s.Close()) }()
		src := s.Observe(t.Context(), "a")

		fail := func(err error) (delay time.Duration) {
			synctest.Wait()
			at, n := time.Now(), p.started("a")
			p.stop("a", err)
			for p.started("a") == n {
				time.Sleep(time.Millisecond)
				synctest.Wait()
			}
			return time.Since(at)
		}
		for _, ms := range []int{100, 200, 400, 800, 1000, 1000} {
			want := time.Duration(ms) * time.Millisecond
			delay := fail(errLost)
			assert.GreaterOrEqual(t, delay, want/2)
			assert.LessOrEqual(t, delay, want+time.Millisecond)
			require.Equal(t, naming.Failed[int](&naming.UnansweredError{Err: errLost}), value(src), "it never had a value")
		}

		p.report("a", naming.Ok(7))
		require.Equal(t, naming.Ok(7), value(src))
		require.LessOrEqual(t, fail(errLost), 101*time.Millisecond, "a value resets the delay")
		require.Equal(t, naming.State[int]{Value: 7, Known: true, Err: errLost}, value(src), "the last good value stays, marked")
		fail(errLost)
		require.Equal(t, naming.State[int]{Value: 7, Known: true, Err: errLost}, value(src))

		p.report("a", naming.State[int]{})
		require.Equal(t, 7, value(src).Value, "pending takes nothing back")
		p.report("a", naming.Ok(8))
		require.Equal(t, naming.Ok(8), value(src))
		fail(nil)
		require.Equal(t, naming.Ok(8), value(src), "an orderly end is no trouble")
	})
}

func TestSharedReportsTheSameTroubleOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe()
		s := naming.NewShared(p, naming.SharedOptions{})
		defer func() { require.NoError(t, s.Close()) }()
		src := s.Observe(t.Context(), "a")
		synctest.Wait()
		for _, st := range []naming.State[int]{naming.Failed[int](errLost), {Value: 1, Known: true, Err: errLost}} {
			p.report("a", st)
			_, stale := src.Load()
			p.report("a", naming.Failed[int](errors.New("connection lost")))
			select {
			case <-stale:
				require.Fail(t, "readers were woken for nothing")
			default:
			}
		}
	})
}

// An observer that comes while a cancelled watch is still on its way out waits
// for it: there are never two.
func TestSharedWaitsForASlowWatchToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe()
		p.slow = time.Minute
		s := naming.NewShared(p, naming.SharedOptions{Linger: -1})
		ctx, cancel := context.WithCancel(t.Context())
		s.Observe(ctx, "a")
		synctest.Wait()
		p.report("a", naming.Ok(1))
		old := p.set["a"]
		cancel()
		synctest.Wait()
		old(naming.Ok(99))

		src := s.Observe(t.Context(), "a")
		require.Equal(t, naming.Ok(1), value(src), "what was known is better than nothing, and what a cancelled watch reports is not news")
		synctest.Wait()
		require.Equal(t, 1, p.started("a"))
		time.Sleep(2 * time.Minute)
		require.Equal(t, 2, p.started("a"))
		old(naming.Ok(99))
		require.Equal(t, naming.Ok(1), value(src))
		p.report("a", naming.Ok(2))
		require.Equal(t, naming.Ok(2), value(src))

		before := time.Now()
		require.NoError(t, s.Close())
		require.Equal(t, time.Minute, time.Since(before), "Close waits")
		require.False(t, p.runs("a"))
		require.False(t, p.overlapped())
	})
}

// An observer that comes and goes while the watch is on its way out leaves
// nothing behind that Close would wait for.
func TestSharedCloseDoesNotWaitForLingering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe()
		p.slow = time.Second
		s := naming.NewShared(p, naming.SharedOptions{Linger: time.Hour})
		for range 2 {
			ctx, cancel := context.WithCancel(t.Context())
			s.Observe(ctx, "a")
			synctest.Wait()
			cancel()
			time.Sleep(time.Hour - time.Second/2)
			synctest.Wait()
			ctx, cancel = context.WithCancel(t.Context())
			s.Observe(ctx, "a")
			cancel()
			time.Sleep(time.Hour + time.Second/2) // the watch is ending
			ctx, cancel = context.WithCancel(t.Context())
			s.Observe(ctx, "a")
			cancel()
			synctest.Wait()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		require.Zero(t, s.Len(), "the last observer had gone when the watch ended")
		before := time.Now()
		require.NoError(t, s.Close())
		require.Zero(t, time.Since(before))
		require.NoError(t, s.Close())
		require.Equal(t, naming.Failed[int](naming.ErrClosed), value(s.Observe(t.Context(), "a")))
	})
}
