package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// load sends requests at a fixed rate until it is stopped. Answers are not waited
// for, unless inFlight requests have none: a machine that cannot keep up gets less
// and does not drown.
type load struct {
	quit chan struct{}
	done chan struct{}

	mu     sync.Mutex
	sent   int
	failed []string // what was not a 200, with the time since the start
	took   []time.Duration
}

const inFlight = 100

// startLoad sends what next returns, rate times a second.
func startLoad(t *testing.T, client *http.Client, rate int, next func(i int) call) *load {
	t.Helper()
	l := &load{quit: make(chan struct{}), done: make(chan struct{})}
	begin := time.Now()
	one := func(i int) {
		at := time.Now()
		r, err := next(i).with(client)
		took := time.Since(at)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.sent++
		l.took = append(l.took, took)
		if err != nil || r.status != http.StatusOK {
			l.failed = append(l.failed, fmt.Sprintf("%v: %d %v %s", at.Sub(begin), r.status, err, r.body))
		}
	}
	go func() {
		defer close(l.done)
		var calls sync.WaitGroup
		defer calls.Wait()
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		free := make(chan struct{}, inFlight)
		start, i := begin, 0
		for {
			select {
			case <-l.quit:
				return
			case <-tick.C:
			}
			due := int(time.Since(start).Seconds() * float64(rate))
			if late := due - i - inFlight; late > 0 { // what could not be sent in time is not caught up
				start = start.Add(time.Duration(late) * time.Second / time.Duration(rate))
				due -= late
			}
			for ; i < due; i++ {
				select {
				case <-l.quit:
					return
				case free <- struct{}{}:
				}
				n := i
				calls.Go(func() {
					one(n)
					<-free
				})
			}
		}
	}()
	t.Cleanup(func() { l.stop() })
	return l
}

// stop stops sending and waits for the answers.
func (l *load) stop() {
	select {
	case <-l.quit:
	default:
		close(l.quit)
	}
	<-l.done
}

// until waits until n requests have been answered.
func (l *load) until(t *testing.T, n int) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for l.count() < n {
		require.False(t, time.Now().After(deadline), "the load has stalled")
		time.Sleep(time.Millisecond)
	}
}

// more waits until n more requests have been answered.
func (l *load) more(t *testing.T, n int) { t.Helper(); l.until(t, l.count()+n) }

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent
}

// mustNotFail ends the load; none of its requests may have failed.
func (l *load) mustNotFail(t *testing.T) {
	t.Helper()
	l.stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	require.Empty(t, l.failed[:min(len(l.failed), 10)], "%d of %d requests failed", len(l.failed), l.sent)
}

// percentile is a percentile of the latencies of requests from to to, counted in
// the order of their answers.
func (l *load) percentile(p float64, from, to int) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	took := slices.Sorted(slices.Values(l.took[from:to]))
	return took[int(p*float64(len(took)-1))]
}
