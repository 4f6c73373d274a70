package retry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/retry"
)

var errBoom = errors.New("boom")

// Outcomes that scripts are made of.
func success() weft.Result   { return weft.Result{} }
func failure() weft.Result   { return weft.Result{Class: weft.Failure} }
func retryable() weft.Result { return weft.Result{Class: weft.Retryable} }

func unsentAt(s weft.Stage) weft.Result {
	return weft.Result{Class: weft.Failure, Err: &weft.Error{Stage: s, Unsent: true, Err: errBoom}}
}

func nacked() weft.Result      { return unsentAt(weft.StageReceive) }
func unconnected() weft.Result { return unsentAt(weft.StageConnect) }

// fixture is a service with one client whose attempts follow a script: an outcome
// each, the last one again and again.
type fixture struct {
	policy    retry.Policy
	client    retry.Client
	script    []func() weft.Result
	attempts  []time.Duration // when each attempt was made
	discarded []int
	events    map[retry.Event][]int
	began     time.Time
}

func newFixture(script ...func() weft.Result) *fixture {
	f := &fixture{script: script, events: map[retry.Event][]int{}, began: time.Now()}
	observe := func(e retry.Event, n int) { f.events[e] = append(f.events[e], n) }
	f.policy.Observe = observe
	f.client.Observe = observe
	return f
}

// do makes a request. Its Rep is the number of the attempt, over all requests.
func (f *fixture) do(ctx context.Context) (int, weft.Result) {
	return retry.Do(ctx, f.policy, func(_ context.Context, _ int) (int, weft.Result, *retry.Client) {
		i := len(f.attempts)
		f.attempts = append(f.attempts, time.Since(f.began))
		res := f.script[min(i, len(f.script)-1)]()
		if res.Class == weft.Success && res.Err == nil && f.client.Budget != nil {
			f.client.Budget.Deposit()
		}
		return i, res, &f.client
	}, func(i int) { f.discarded = append(f.discarded, i) })
}

func (f *fixture) count(e retry.Event) (n int) {
	for _, x := range f.events[e] {
		n += x
	}
	return n
}

// The sequences of section 5.2 of the routers' specification (V75): S succeeds, F
// fails; a request is what stands between commas.
func TestProvenSequences(t *testing.T) {
	only := func(ratio float64) retry.BudgetOptions {
		return retry.BudgetOptions{MinPerSecond: retry.None, Ratio: ratio}
	}
	for _, tc := range []struct {
		name    string
		requeue float64 // ratios; 0 is the default budget
		retry   float64
		fail    func() weft.Result
		seq     []string
		events  map[retry.Event]int
	}{
		{
			name: "requeue 0.5", requeue: 0.5, fail: nacked,
			seq:    []string{"S", "S", "FS", "F"},
			events: map[retry.Event]int{retry.Requeued: 1, retry.RequestLimit: 1},
		},
		{
			name: "requeue 1.0, every 2nd attempt fails", requeue: 1, fail: nacked,
			seq:    []string{"S", "FS", "FS", "FS", "FS", "FS", "FS", "FS"},
			events: map[retry.Event]int{retry.Requeued: 7},
		},
		{
			name: "requeue 0.5, every 2nd fails", requeue: 0.5, fail: nacked,
			seq:    []string{"S", "F", "S", "FS", "F", "S", "FS"},
			events: map[retry.Event]int{retry.Requeued: 2, retry.RequestLimit: 2},
		},
		{
			name: "retry 0.5, GET, read5XX", retry: 0.5, fail: retryable,
			seq:    []string{"S", "FS", "F"},
			events: map[retry.Event]int{retry.Retried: 1, retry.RetryBudgetExhausted: 1},
		},
		{
			name: "retry 1.0, every 2nd fails starting with F", retry: 1, fail: retryable,
			seq:    []string{"FS", "FS", "FS", "FS", "FS", "FS", "FS", "FS", "FS", "FS"},
			events: map[retry.Event]int{retry.Retried: 10},
		},
		{
			name: "retry 0.5, every 2nd fails starting with F", retry: 0.5, fail: retryable,
			seq:    []string{"F", "S", "FS", "FS", "F"},
			events: map[retry.Event]int{retry.Retried: 2, retry.RetryBudgetExhausted: 2},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture()
				for _, request := range tc.seq {
					for _, outcome := range request {
						if outcome == 'S' {
							f.script = append(f.script, success)
						} else {
							f.script = append(f.script, tc.fail)
						}
					}
				}
				f.policy.Budget = budget(t, only(tc.retry))
				f.client.Budget = budget(t, only(tc.requeue))
				made := 0
				for i, request := range tc.seq {
					rep, res := f.do(t.Context())
					made += len(request)
					require.Len(t, f.attempts, made, "request %d", i)
					assert.Equal(t, made-1, rep, "the last attempt's response is returned")
					assert.Equal(t, request[len(request)-1] == 'S', res.Class == weft.Success, "request %d", i)
				}
				f.checkEvents(t, tc.events)
				assert.Zero(t, time.Since(f.began), "nothing waited")
			})
		})
	}
}

// checkEvents compares all events but the per-request ones with want.
func (f *fixture) checkEvents(t *testing.T, want map[retry.Event]int) {
	t.Helper()
	got := map[retry.Event]int{}
	for e := range f.events {
		if e != retry.RetriesPerRequest && e != retry.RequeuesPerRequest {
			got[e] = f.count(e)
		}
	}
	assert.Equal(t, want, got)
}

// The second row of the table: the port is closed after the first sequence.
func TestProvenSequenceClosedPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(unconnected)
		f.client.Budget = budget(t, retry.BudgetOptions{MinPerSecond: retry.None, Ratio: 0.5})
		rep, res := f.do(t.Context())
		assert.Len(t, f.attempts, 26)
		assert.Equal(t, 25, rep)
		assert.ErrorIs(t, res.Err, errBoom)
		f.checkEvents(t, map[retry.Event]int{retry.Requeued: 25})
		assert.Equal(t, []int{0}, f.events[retry.RequeuesPerRequest], "connecting is not charged")
	})
}

// The last row of the table: every response but the last is discarded.
func TestProvenSequenceAlwaysFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(retryable)
		f.policy.Budget = budget(t, retry.BudgetOptions{})
		rep, res := f.do(t.Context())
		assert.Len(t, f.attempts, 101)
		assert.Equal(t, 100, rep)
		assert.Equal(t, weft.Retryable, res.Class)
		require.NoError(t, res.Err, "the endpoint's own answer is not an error")
		require.Len(t, f.discarded, 100)
		for i, n := range f.discarded {
			assert.Equal(t, i, n)
		}
		f.checkEvents(t, map[retry.Event]int{retry.Retried: 100, retry.RetryBudgetExhausted: 1})
		assert.Equal(t, []int{100}, f.events[retry.RetriesPerRequest])
	})
}
