package retry_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/retry"
)

// Vector 20, and the default idle client of vector 18.
func TestRequeueShare(t *testing.T) {
	for _, tc := range []struct {
		o     retry.BudgetOptions
		share float64
		want  int
	}{
		{retry.BudgetOptions{TTL: time.Second, Ratio: retry.None}, 0.5, 5},
		{retry.BudgetOptions{}, 0, 20},
		{retry.BudgetOptions{}, retry.None, 0},
		{retry.BudgetOptions{TTL: time.Second, MinPerSecond: 3, Ratio: retry.None}, 0, 1}, // vector 26
		{retry.BudgetOptions{TTL: time.Second, MinPerSecond: 15, Ratio: retry.None}, 0, 3},
	} {
		t.Run(fmt.Sprint(tc), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(nacked)
				f.client.Budget = budget(t, tc.o)
				f.client.Share = tc.share
				f.do(t.Context())
				assert.Equal(t, tc.want, f.count(retry.Requeued))
				assert.Equal(t, 1, f.count(retry.RequestLimit))
				assert.Zero(t, f.count(retry.RequeueBudgetExhausted))
			})
		})
	}
}

// The share is that of the balance at the first decision, but the budget itself may
// run out before.
func TestRequeueBudgetExhausted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		shared := budget(t, retry.BudgetOptions{TTL: time.Second, Ratio: retry.None})
		f.client.Budget = shared
		f.script = []func() weft.Result{nacked, func() weft.Result {
			for shared.Withdraw() { // somebody else's requests
				continue
			}
			r := nacked()
			r.Class = weft.Retryable
			return r
		}}
		f.policy.Budget = retry.Infinite{}
		_, res := f.do(t.Context())
		f.checkEvents(t, map[retry.Event]int{retry.Requeued: 1, retry.RequeueBudgetExhausted: 1})
		assert.Equal(t, weft.Failure, res.Class, "nobody is to retry it")
	})
}

// Vector 22, without losing a token.
func TestRequeueBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(nacked)
		f.client.Budget = budget(t, retry.BudgetOptions{TTL: time.Minute})
		f.client.Backoff = retry.List{time.Second, 2 * time.Second, 4 * time.Second}
		before := f.client.Budget.Balance()
		f.do(t.Context())
		assert.Equal(t, []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second}, f.attempts)
		f.checkEvents(t, map[retry.Event]int{retry.Requeued: 3, retry.RequeueBudgetExhausted: 1})
		assert.Equal(t, before-3, f.client.Budget.Balance())
	})
}

// Vector 23.
func TestRequeuesPerRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(success, nacked, success, nacked, nacked, nacked, nacked, nacked, success)
		f.client.Budget = budget(t, retry.BudgetOptions{})
		for range 3 {
			f.do(t.Context())
		}
		assert.Equal(t, []int{0, 1, 5}, f.events[retry.RequeuesPerRequest])
		assert.Equal(t, []int{0, 0, 0}, f.events[retry.RetriesPerRequest])
	})
}

// Vector 24, for both kinds of requeue. The outcome stays retryable.
func TestRequeueNotOpen(t *testing.T) {
	for _, tc := range []struct {
		outcome func() weft.Result
		event   retry.Event
	}{{nacked, retry.CannotRetry}, {unconnected, retry.NotOpen}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(func() weft.Result {
				r := tc.outcome()
				r.Class = weft.Retryable
				return r
			})
			f.client.Budget = retry.Infinite{}
			f.client.Status = func() weft.Status { return weft.Busy }
			_, res := f.do(t.Context())
			f.checkEvents(t, map[retry.Event]int{tc.event: 1})
			assert.Equal(t, weft.Retryable, res.Class)

			f.policy.Budget = retry.Infinite{}
			f.policy.Backoff = retry.List{0}
			f.do(t.Context())
			assert.Equal(t, 1, f.count(retry.Retried), "the service may still retry")
		})
	}
}

// Vector 25, and every other outcome that is not repeated.
func TestNotRepeated(t *testing.T) {
	unsent := func(s weft.Stage, c weft.Class, err error) weft.Result {
		return weft.Result{Class: c, Err: &weft.Error{Stage: s, Unsent: true, Err: err}}
	}
	for name, res := range map[string]weft.Result{
		"success":              success(),
		"failure":              failure(),
		"sent":                 {Class: weft.Failure, Err: &weft.Error{Stage: weft.StageReceive, Err: errBoom}},
		"foreign error":        {Class: weft.Failure, Err: errBoom},
		"ignored":              {Class: weft.Ignored},
		"ignored and unsent":   unsent(weft.StageConnect, weft.Ignored, errBoom),
		"interrupted, unsent":  unsent(weft.StageConnect, weft.Retryable, context.Canceled),
		"unbound":              unsent(weft.StageBind, weft.Failure, errBoom),
		"unidentified":         unsent(weft.StageIdentify, weft.Failure, errBoom),
		"deadline":             unsent(weft.StageDeadline, weft.Failure, errBoom),
		"successful exception": {Err: errBoom},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(func() weft.Result { return res })
			f.policy.Budget = retry.Infinite{}
			f.client.Budget = retry.Infinite{}
			_, got := f.do(t.Context())
			assert.Len(t, f.attempts, 1)
			assert.Equal(t, res, got)
			assert.Empty(t, f.discarded)
			f.checkEvents(t, map[retry.Event]int{})
			assert.Equal(t, []int{0}, f.events[retry.RequeuesPerRequest])
			assert.Equal(t, []int{0}, f.events[retry.RetriesPerRequest])
		})
	}
}

// Vector 27.
func TestConnectTries(t *testing.T) {
	f := newFixture(unconnected)
	f.client.Budget = retry.Empty{}
	f.do(t.Context())
	assert.Equal(t, 25, f.count(retry.Requeued))
	f.do(t.Context())
	assert.Equal(t, 50, f.count(retry.Requeued))

	f = newFixture(unconnected)
	f.client.ConnectTries = retry.None
	f.do(t.Context())
	assert.Len(t, f.attempts, 1)
}

// Each acquisition has its tries: a connection that was obtained starts them anew.
func TestConnectTriesStartAnew(t *testing.T) {
	f := newFixture(unconnected, unconnected, nacked, unconnected, unconnected, success)
	f.client.Budget = retry.Infinite{}
	f.client.ConnectTries = 2
	_, res := f.do(t.Context())
	assert.Equal(t, weft.Success, res.Class)
	assert.Len(t, f.attempts, 6)
	assert.Equal(t, []int{1}, f.events[retry.RequeuesPerRequest])
}

// Vector 134.
func TestRetryBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(retryable)
		f.policy.Budget = budget(t, retry.BudgetOptions{MinPerSecond: retry.None, Ratio: 2})
		f.policy.Backoff = retry.List{time.Second, 2 * time.Second, 3 * time.Second}
		f.do(t.Context())
		assert.Equal(t, []time.Duration{0, time.Second, 3 * time.Second}, f.attempts)
		f.checkEvents(t, map[retry.Event]int{retry.Retried: 2, retry.RetryBudgetExhausted: 1})
	})
}
