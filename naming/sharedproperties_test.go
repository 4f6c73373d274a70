package naming_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft/naming"
)

// TestSharedProperties runs random histories of observers, reports and failures, of
// Watches and of FollowFuncs, in fake time and checks after every step what must always hold.
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
		follows := rapid.Bool().Draw(rt, "follows")
		var problem string
		synctest.Test(t, func(t *testing.T) {
			p := newProbe()
			p.slow = slow
			var w naming.Watcher[string, int] = p
			if follows {
				w = naming.FollowFunc[string, int](p.follow)
			}
			s := naming.NewShared(w, naming.SharedOptions{Linger: linger, MinBackoff: time.Millisecond, MaxBackoff: 50 * time.Millisecond})
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
					if !follows && p.runs(key) && len(observers[key]) > 0 {
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
