package signals_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
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

// TestFor: a function is called once when the first of its signals fires, whichever that
// is and whether or not it has fired already.
func TestFor(t *testing.T) {
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
				w.New(func() { calls.Add(1) }).For(nil, chans[0], chans[1], nil, chans[2])
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
		w.New(func() { w.New(func() { <-returns }).For(second) }).For(first)
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
				w.New(func() { calls.Add(1) }).For(c, ctx.Done())
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

// TestStop: what was stopped is not called, whenever that is.
func TestStop(t *testing.T) {
	for _, wide := range []int{0, 100} {
		synctest.Test(t, func(t *testing.T) {
			var (
				w     signals.Waiter
				calls atomic.Int64
			)
			more := make([]<-chan struct{}, wide)
			waits := func(c chan struct{}) *signals.Waiting {
				x := w.New(func() { calls.Add(1) })
				x.For(slices.Concat(more, []<-chan struct{}{c})...)
				return x
			}
			kept := make(chan struct{})
			last := waits(kept)

			at := waits(make(chan struct{}))
			at.Stop()
			at.Stop()
			fires := make(chan struct{})
			at = waits(fires)
			synctest.Wait()
			at.Stop()
			close(fires)
			at.For(fires)
			synctest.Wait()
			assert.Zero(t, calls.Load())

			close(kept)
			synctest.Wait()
			last.Stop()
			assert.EqualValues(t, 1, calls.Load())
			w.Wait()
		})
	}
}

// TestClose: it waits for functions that have begun, and no others are called.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			w      signals.Waiter
			calls  atomic.Int64
			closed atomic.Bool
			at     *signals.Waiting
		)
		chans := channels(300)
		waits := func(fn func(), signals ...<-chan struct{}) *signals.Waiting {
			x := w.New(fn)
			x.For(signals...)
			return x
		}
		for _, c := range chans {
			waits(func() { calls.Add(1) }, c, nil)
		}
		wide := []<-chan struct{}{200: chans[0]}
		waits(func() { calls.Add(1) }, wide...)
		fires, returns := make(chan struct{}), make(chan struct{})
		at = w.New(func() {
			<-returns
			at.For(fires)
		})
		at.For(fires)
		close(fires)
		synctest.Wait()
		go func() {
			w.Close()
			closed.Store(true)
		}()
		synctest.Wait()
		assert.False(t, closed.Load())
		for _, c := range chans {
			close(c)
		}
		close(returns)
		synctest.Wait()
		assert.True(t, closed.Load())
		waits(func() { calls.Add(1) }, chans[0]).Stop()
		w.Close()
		assert.Zero(t, calls.Load())
	})
	new(signals.Waiter).Close()
}

// TestStopMeetsSignal: when functions that wait again and again are stopped just as they
// are called, or wait for what has fired, nothing is left behind.
func TestStopMeetsSignal(t *testing.T) {
	var (
		w   signals.Waiter
		all sync.WaitGroup
	)
	before := runtime.NumGoroutine()
	standing := make(chan struct{})
	w.New(func() {}).For(standing)
	for range 3000 {
		var (
			calls   atomic.Int64
			stopped atomic.Bool
			x       *signals.Waiting
		)
		next := make(chan chan struct{}, 1)
		c := make(chan struct{})
		x = w.New(func() {
			calls.Add(1)
			c := make(chan struct{})
			if rand.N(2) == 0 {
				close(c)
			} else {
				next <- c
			}
			x.For(c)
		})
		x.For(c)
		all.Go(func() {
			close(c)
			select {
			case c := <-next:
				close(c)
			case <-time.After(rand.N(time.Millisecond)):
			}
		})
		all.Go(func() {
			for range rand.N(100) {
				runtime.Gosched()
			}
			x.Stop()
			stopped.Store(true)
			n := calls.Load()
			time.Sleep(time.Millisecond)
			assert.LessOrEqual(t, calls.Load(), n+1, "calls that have not begun")
		})
	}
	all.Wait()
	close(standing)
	w.Wait()
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, 10*time.Second, time.Millisecond)
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
		w.New(func() { calls.Add(1) }).For(list...)
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
	follow := func(i int) {
		at := current(i)
		var x *signals.Waiting
		x = w.New(func() {
			select {
			case <-at:
				seen[i].Add(1)
			default:
				assert.Error(t, ctx.Err(), "called for nothing")
			}
			if ctx.Err() == nil {
				at = current(i)
				x.For(at, ctx.Done())
			}
		})
		x.For(at, ctx.Done())
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

// BenchmarkFor is a signal that fires among ten thousand, and the waiting for the next.
func BenchmarkFor(b *testing.B) {
	var w signals.Waiter
	ctx, cancel := context.WithCancel(b.Context())
	for range 10_000 {
		w.New(func() {}).For(make(chan struct{}), ctx.Done())
	}
	b.ReportAllocs()
	for b.Loop() {
		c, called := make(chan struct{}), make(chan struct{})
		w.New(func() { close(called) }).For(c, ctx.Done())
		close(c)
		<-called
	}
	cancel()
	w.Wait()
}
