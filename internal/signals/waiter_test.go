package signals_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/weft-mesh/weft/internal/signals"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func channels(n int) []chan struct{} {
	all := make([]chan struct{}, n)
	for i := range all {
		all[i] = make(chan struct{})
	}
	return all
}

// TestThen: a function is called once when the first of its signals fires, whichever that
// is and whether or not it has fired already.
func TestThen(t *testing.T) {
	for _, before := range []bool{true, false} {
		for which := range 3 {
			synctest.Test(t, func(t *testing.T) {
				var (
					w     signals.Waiter
					calls atomic.Int64
				)
				chans := channels(3)
				if before {
					close(chans[which])
				}
				w.Then(func() { calls.Add(1) }, nil, chans[0], chans[1], nil, chans[2])
				synctest.Wait()
				if !before {
					assert.Zero(t, calls.Load())
					close(chans[which])
					synctest.Wait()
				}
				assert.EqualValues(t, 1, calls.Load())
				for i, c := range chans {
					if i != which {
						close(c)
					}
				}
				w.Wait()
				assert.EqualValues(t, 1, calls.Load())
			})
		}
	}
}

// TestWaitIsForFunctions: Wait returns neither before the signals have fired nor before
// the functions have returned, which may wait for something else.
func TestWaitIsForFunctions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			w      signals.Waiter
			waited atomic.Bool
		)
		first, second, returns := make(chan struct{}), make(chan struct{}), make(chan struct{})
		w.Then(func() { w.Then(func() { <-returns }, second) }, first)
		go func() {
			w.Wait()
			waited.Store(true)
		}()
		for _, c := range []chan struct{}{first, second, returns} {
			synctest.Wait()
			assert.False(t, waited.Load())
			close(c)
		}
		synctest.Wait()
		assert.True(t, waited.Load())
	})
}

// TestFewGoroutines: ten thousand functions wait in fewer than seven hundred goroutines,
// however many have come and gone.
func TestFewGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 10_000
		var (
			w     signals.Waiter
			calls atomic.Int64
		)
		before := runtime.NumGoroutine()
		ctx, cancel := context.WithCancel(t.Context())
		var chans []chan struct{}
		for round := range 4 {
			for _, c := range channels(n - len(chans)) {
				chans = append(chans, c)
				w.Then(func() { calls.Add(1) }, c, ctx.Done())
			}
			synctest.Wait()
			assert.Less(t, runtime.NumGoroutine()-before, 700, "round %d", round)
			rand.Shuffle(n, func(i, j int) { chans[i], chans[j] = chans[j], chans[i] })
			for _, c := range chans[n/4:] {
				close(c)
			}
			chans = chans[:n/4]
			synctest.Wait()
			require.EqualValues(t, (round+1)*n*3/4, calls.Load())
		}
		cancel()
		w.Wait()
		assert.EqualValues(t, 3*n+n/4, calls.Load())
	})
}

// TestWide: more signals than a shard has room for, and more than a select can have.
func TestWide(t *testing.T) {
	for _, n := range []int{32, 33, 70_000} {
		var (
			w     signals.Waiter
			calls atomic.Int64
		)
		chans := channels(n)
		list := make([]<-chan struct{}, n)
		for i, c := range chans {
			list[i] = c
		}
		w.Then(func() { calls.Add(1) }, list...)
		close(chans[n-1])
		w.Wait()
		assert.EqualValues(t, 1, calls.Load())
	}
}

// TestStorm: functions that wait again and again, for signals that fire all the time, miss
// none and are called for nothing else.
func TestStorm(t *testing.T) {
	var (
		w     signals.Waiter
		mu    sync.Mutex
		fires [200]chan struct{}
		seen  [200]atomic.Int64
	)
	for i := range fires {
		fires[i] = make(chan struct{})
	}
	current := func(i int) chan struct{} {
		mu.Lock()
		defer mu.Unlock()
		return fires[i]
	}
	ctx, cancel := context.WithCancel(t.Context())
	var follow func(i int)
	follow = func(i int) {
		at := current(i)
		w.Then(func() {
			select {
			case <-at:
				seen[i].Add(1)
			default:
				assert.Error(t, ctx.Err(), "called for nothing")
			}
			if ctx.Err() == nil {
				follow(i)
			}
		}, at, ctx.Done())
	}
	for i := range fires {
		follow(i)
	}
	for range 20 {
		for _, i := range rand.Perm(len(fires)) {
			old := current(i)
			before := seen[i].Load()
			mu.Lock()
			fires[i] = make(chan struct{})
			mu.Unlock()
			close(old)
			if rand.N(4) == 0 {
				require.Eventually(t, func() bool { return seen[i].Load() > before }, 30*time.Second, time.Millisecond)
			}
		}
	}
	for i := range fires {
		before := seen[i].Load()
		close(current(i))
		mu.Lock()
		fires[i] = make(chan struct{})
		mu.Unlock()
		require.Eventually(t, func() bool { return seen[i].Load() > before }, 30*time.Second, time.Millisecond)
	}
	cancel()
	w.Wait()
}

// BenchmarkThen is a signal that fires among ten thousand, and the waiting for the next.
func BenchmarkThen(b *testing.B) {
	var w signals.Waiter
	ctx, cancel := context.WithCancel(b.Context())
	for range 10_000 {
		w.Then(func() {}, make(chan struct{}), ctx.Done())
	}
	b.ReportAllocs()
	for b.Loop() {
		c, called := make(chan struct{}), make(chan struct{})
		w.Then(func() { close(called) }, c, ctx.Done())
		close(c)
		<-called
	}
	cancel()
	w.Wait()
}
