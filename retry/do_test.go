package retry_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/retry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestZeroPolicy(t *testing.T) {
	f := newFixture(retryable)
	_, res := f.do(t.Context())
	assert.Len(t, f.attempts, 1)
	assert.Equal(t, weft.Retryable, res.Class)

	rep, res := retry.Do(t.Context(), retry.Policy{},
		func(context.Context, int) (string, weft.Result, *retry.Client) { return "x", unconnected(), nil }, nil)
	assert.Equal(t, "x", rep)
	assert.ErrorIs(t, res.Err, errBoom)
}

func TestAttemptNumbers(t *testing.T) {
	var numbers []int
	p := retry.Policy{Budget: retry.Infinite{}, Backoff: retry.List{0, 0}}
	_, _ = retry.Do(t.Context(), p, func(_ context.Context, n int) (int, weft.Result, *retry.Client) {
		numbers = append(numbers, n)
		return n, retryable(), nil
	}, nil)
	assert.Equal(t, []int{0, 1, 2}, numbers)
}

// A retry starts the request's limits for requeues anew, as the retry filter stands
// above the requeue filter.
func TestRetryRenewsRequeues(t *testing.T) {
	f := newFixture(nacked, retryable, nacked, success)
	f.policy.Budget = retry.Infinite{}
	f.client.Budget = &counting{tokens: 5} // a share of 1
	_, res := f.do(t.Context())
	assert.Equal(t, weft.Success, res.Class)
	f.checkEvents(t, map[retry.Event]int{retry.Requeued: 2, retry.Retried: 1})
	assert.Equal(t, []int{1, 1}, f.events[retry.RequeuesPerRequest])
	assert.Equal(t, []int{1}, f.events[retry.RetriesPerRequest])
}

// Each client has a say: a request whose requeues alternate between clients does not
// get the share of both, and what the first would allow the second may refuse.
func TestRequeueOnAnotherClient(t *testing.T) {
	for _, tc := range []struct{ first, second, attempts int }{
		{10, 10, 3},
		{10, 0, 2},
		{0, 10, 1},
		{5, 10, 3},
	} {
		a := &retry.Client{Budget: &counting{tokens: tc.first}}
		b := &retry.Client{Budget: &counting{tokens: tc.second}}
		attempts := 0
		_, _ = retry.Do(t.Context(), retry.Policy{}, func(_ context.Context, n int) (int, weft.Result, *retry.Client) {
			attempts++
			if n%2 == 0 {
				return n, nacked(), a
			}
			return n, nacked(), b
		}, nil)
		assert.Equal(t, tc.attempts, attempts, "%+v", tc)
	}
}

func TestDeadlineForbidsRetry(t *testing.T) {
	for _, tc := range []struct {
		name             string
		timeout, backoff time.Duration
		attempts         []time.Duration
	}{
		{"too late", 5 * time.Second, 3 * time.Second, []time.Duration{0, 3 * time.Second}},
		{"exactly then", 6 * time.Second, 3 * time.Second, []time.Duration{0, 3 * time.Second}},
		{"just before", 6*time.Second + 1, 3 * time.Second, []time.Duration{0, 3 * time.Second, 6 * time.Second}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tc.timeout)
				defer cancel()
				f := newFixture(retryable)
				tokens := &counting{tokens: 100}
				f.policy.Budget = tokens
				f.policy.Backoff = retry.Constant(tc.backoff)
				rep, res := f.do(ctx)
				assert.Equal(t, tc.attempts, f.attempts)
				assert.Equal(t, tc.attempts[len(tc.attempts)-1], time.Since(f.began), "returned at once")
				assert.Equal(t, len(tc.attempts)-1, rep)
				assert.Equal(t, weft.Retryable, res.Class)
				assert.Equal(t, 100-len(tc.attempts)+1, tokens.tokens, "no token lost")
				assert.Equal(t, 1, f.count(retry.OutOfTime))
			})
		})
	}
}

// An attempt that uses up the time is not repeated, though the context's own timer
// may not have fired.
func TestDeadlineForbidsRequeue(t *testing.T) {
	for _, outcome := range []func() weft.Result{nacked, unconnected, retryable} {
		synctest.Test(t, func(t *testing.T) {
			ctx := lateContext{t.Context(), time.Now().Add(time.Second)}
			f := newFixture(func() weft.Result {
				time.Sleep(time.Second)
				return outcome()
			})
			tokens := &counting{tokens: 100}
			f.policy.Budget, f.client.Budget = tokens, tokens
			f.do(ctx)
			assert.Len(t, f.attempts, 1)
			assert.Equal(t, 100, tokens.tokens)
		})
	}
}

// lateContext has a deadline, but nothing that ends it.
type lateContext struct {
	context.Context
	deadline time.Time
}

func (c lateContext) Deadline() (time.Time, bool) { return c.deadline, true }

func TestContextEndedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := retry.Policy{Dst: dtab.MustPath("/svc/users"), Budget: &counting{}}
		attempt := func(context.Context, int) (int, weft.Result, *retry.Client) {
			t.Error("attempt made")
			return 1, success(), nil
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errBoom)
		rep, res := retry.Do(ctx, p, attempt, nil)
		assert.Zero(t, rep)
		assert.Equal(t, weft.Ignored, res.Class)
		require.EqualError(t, res.Err, "deadline /svc/users: boom")
		assert.True(t, weft.IsUnsent(res.Err))

		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		time.Sleep(2 * time.Second)
		_, res = retry.Do(ctx, p, attempt, nil)
		assert.Equal(t, weft.Failure, res.Class)
		require.ErrorIs(t, res.Err, context.DeadlineExceeded)
	})
}

func TestCancelledWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		f := newFixture(retryable)
		f.policy.Budget = retry.Infinite{}
		f.policy.Backoff = retry.Constant(2 * time.Second)
		rep, res := f.do(ctx)
		assert.Equal(t, 3*time.Second, time.Since(f.began))
		assert.Equal(t, []time.Duration{0, 2 * time.Second}, f.attempts)
		assert.Equal(t, []int{0, 1}, f.discarded, "connections are released before the wait")
		assert.Zero(t, rep)
		assert.Equal(t, weft.Ignored, res.Class)
		require.ErrorIs(t, res.Err, context.Canceled)
		assert.False(t, weft.IsUnsent(res.Err))
		assert.Equal(t, []int{2}, f.events[retry.RetriesPerRequest])
	})
}

// The caller leaves while the attempt is under way: its outcome is returned.
func TestCancelledDuringAttempt(t *testing.T) {
	for _, outcome := range []func() weft.Result{nacked, unconnected, retryable} {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFixture(func() weft.Result {
			cancel()
			return outcome()
		})
		f.policy.Budget, f.client.Budget = retry.Infinite{}, retry.Infinite{}
		_, res := f.do(ctx)
		assert.Len(t, f.attempts, 1)
		assert.Equal(t, outcome(), res)
		f.checkEvents(t, map[retry.Event]int{})
	}
}

func TestRetryAfter(t *testing.T) {
	for _, tc := range []struct {
		name           string
		after, longest time.Duration
		want           []time.Duration
	}{
		{"longer than the backoff", 5 * time.Second, 0, []time.Duration{0, 5 * time.Second}},
		{"shorter than the backoff", time.Millisecond, 0, []time.Duration{0, time.Second}},
		{"at the limit", 10 * time.Second, 0, []time.Duration{0, 10 * time.Second}},
		{"above the limit", 10*time.Second + 1, 0, []time.Duration{0}},
		{"above a given limit", 2 * time.Second, time.Second, []time.Duration{0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(func() weft.Result {
					return weft.Result{Class: weft.Retryable, RetryAfter: tc.after}
				}, success)
				f.policy.Budget = retry.Infinite{}
				f.policy.Backoff = retry.Constant(time.Second)
				f.policy.MaxRetryAfter = tc.longest
				f.do(t.Context())
				assert.Equal(t, tc.want, f.attempts)
			})
		})
	}
}

// RetryAfter does not feed the backoff's own sequence.
func TestBackoffSeesItsOwnDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(func() weft.Result { return weft.Result{Class: weft.Retryable, RetryAfter: 9 * time.Second} })
		f.policy.Budget = retry.Infinite{}
		seen := &recording{}
		f.policy.Backoff = seen
		f.do(t.Context())
		assert.Equal(t, []time.Duration{0, 1, 2}, seen.prev)
		assert.Equal(t, 1, f.count(retry.BackoffExhausted))
	})
}

func TestDepositsOncePerRequest(t *testing.T) {
	f := newFixture(retryable)
	b := &counting{tokens: 3}
	f.policy.Budget = b
	f.do(t.Context())
	assert.Equal(t, 1, b.deposits)
	assert.Len(t, f.attempts, 4)
}
