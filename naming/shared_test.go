package naming_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft/naming"
)

// probe is a Watcher that tests drive: it counts what runs and hands out set.
type probe struct {
	mu      sync.Mutex
	running map[string]int
	starts  map[string][]time.Time
	set     map[string]func(naming.State[int])
	end     map[string]chan error
	slow    time.Duration // how long a Watch takes to end when it is cancelled
	twice   bool          // two watches of one key ran at once
}

func newProbe() *probe {
	return &probe{
		running: map[string]int{}, starts: map[string][]time.Time{},
		set: map[string]func(naming.State[int]){}, end: map[string]chan error{},
	}
}

func (p *probe) Watch(ctx context.Context, key string, set func(naming.State[int])) error {
	end := make(chan error)
	p.mu.Lock()
	p.running[key]++
	p.twice = p.twice || p.running[key] > 1
	p.starts[key] = append(p.starts[key], time.Now())
	p.set[key], p.end[key] = set, end
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.running[key]--
		p.mu.Unlock()
	}()
	select {
	case <-ctx.Done():
		time.Sleep(p.slow)
		return ctx.Err()
	case err := <-end:
		return err
	}
}

func (p *probe) report(key string, s naming.State[int]) {
	p.mu.Lock()
	set := p.set[key]
	p.mu.Unlock()
	set(s)
}

func (p *probe) stop(key string, err error) {
	p.mu.Lock()
	end := p.end[key]
	p.mu.Unlock()
	end <- err
}

func (p *probe) started(key string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.starts[key])
}

func (p *probe) overlapped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.twice
}

func (p *probe) runs(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running[key] > 0
}

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
			require.Equal(t, naming.Failed[int](errLost), value(src), "it never had a value")
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

// TestSharedProperties runs random histories of observers, reports and failures
// in fake time and checks after every step what must always hold.
func TestSharedProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type step struct {
			op, key int
			wait    time.Duration
		}
		steps := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step {
			return step{
				rapid.IntRange(0, 5).Draw(rt, "op"), rapid.IntRange(0, 2).Draw(rt, "key"),
				time.Duration(rapid.SampledFrom([]int{0, 0, 1, 40, 100, 2000}).Draw(rt, "wait ms")) * time.Millisecond,
			}
		}), 1, 60).Draw(rt, "steps")
		linger := rapid.SampledFrom([]time.Duration{-1, 50 * time.Millisecond}).Draw(rt, "linger")
		slow := rapid.SampledFrom([]time.Duration{0, 30 * time.Millisecond}).Draw(rt, "slow")
		var problem string
		synctest.Test(t, func(t *testing.T) {
			p := newProbe()
			p.slow = slow
			s := naming.NewShared(p, naming.SharedOptions{Linger: linger, MinBackoff: time.Millisecond, MaxBackoff: 50 * time.Millisecond})
			observers := map[string][]context.CancelFunc{}
			last := map[string]int{}
			ended, end := context.WithCancel(t.Context())
			end()
			peek := func(key string) naming.State[int] { return value(s.Observe(ended, key)) } // observes nothing
			check := func(ok bool, format string, args ...any) {
				if !ok && problem == "" {
					problem = fmt.Sprintf(format, args...)
				}
			}
			for i, st := range steps {
				key := string(rune('a' + st.key))
				switch st.op {
				case 0, 1:
					ctx, cancel := context.WithCancel(t.Context())
					observers[key] = append(observers[key], cancel)
					s.Observe(ctx, key)
				case 2:
					if o := observers[key]; len(o) > 0 {
						o[0]()
						observers[key] = o[1:]
					}
				case 3, 4:
					synctest.Wait()
					if p.runs(key) && len(observers[key]) > 0 {
						time.Sleep(200 * time.Millisecond) // past any back-off or slow end
						p.report(key, naming.Ok(i))
						last[key] = i
						check(peek(key) == naming.Ok(i), "step %d: the report of %s is not seen", i, key)
					}
				case 5:
					synctest.Wait()
					if p.runs(key) && len(observers[key]) > 0 {
						time.Sleep(200 * time.Millisecond)
						p.stop(key, errLost)
					}
				}
				time.Sleep(st.wait)
				synctest.Wait()
				check(!p.overlapped(), "step %d: two watches of one key", i)
				for key, o := range observers {
					if len(o) > 0 && st.wait > 100*time.Millisecond {
						check(p.runs(key), "step %d: %s is observed and not watched", i, key)
						if now := peek(key); now.Known {
							check(now.Value == last[key], "step %d: %s lost its last good value", i, key)
						}
					}
					if len(o) == 0 && st.wait > 100*time.Millisecond {
						check(!p.runs(key), "step %d: %s is watched for nobody", i, key)
					}
				}
			}
			check(s.Close() == nil, "Close failed")
			for key := range p.starts {
				check(!p.runs(key), "%s outlived Close", key)
			}
		})
		if problem != "" {
			rt.Fatal(problem)
		}
	})
}

// TestSharedStress looks for races in real time: many observers come and go, the
// watches fail and report, and Close comes in between.
func TestSharedStress(t *testing.T) {
	for range 20 {
		var running, most atomic.Int64
		s := naming.NewShared(naming.WatchFunc[int, int](func(ctx context.Context, key int, set func(naming.State[int])) error {
			if key == 0 {
				n := running.Add(1)
				defer running.Add(-1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
			}
			for i := range rand.N(20) {
				if ctx.Err() != nil {
					return nil
				}
				set(naming.Ok(i))
				time.Sleep(rand.N(100 * time.Microsecond))
			}
			return errLost
		}), naming.SharedOptions{Linger: 200 * time.Microsecond, MinBackoff: 50 * time.Microsecond, MaxBackoff: time.Millisecond})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 50 {
					ctx, cancel := context.WithTimeout(context.Background(), rand.N(500*time.Microsecond))
					src := s.Observe(ctx, rand.N(3))
					for ctx.Err() == nil {
						_, stale := src.Load()
						select {
						case <-stale:
						case <-ctx.Done():
						}
						if stale == nil {
							break // closed
						}
					}
					cancel()
				}
			})
		}
		time.Sleep(rand.N(10 * time.Millisecond))
		require.NoError(t, s.Close())
		require.Zero(t, running.Load())
		require.Zero(t, s.Len())
		wg.Wait()
		require.LessOrEqual(t, most.Load(), int64(1))
	}
}
