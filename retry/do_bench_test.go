package retry_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/retry"
)

func TestDoAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	do := doOnce(t)
	assert.Zero(t, testing.AllocsPerRun(100, do))
}

func BenchmarkDo(b *testing.B) {
	do := doOnce(b)
	b.ReportAllocs()
	for b.Loop() {
		do()
	}
}

// BenchmarkDoBare is Do without a budget: its own overhead.
func BenchmarkDoBare(b *testing.B) {
	ctx, n := b.Context(), 0
	b.ReportAllocs()
	for b.Loop() {
		_, _ = retry.Do(ctx, retry.Policy{}, func(context.Context, int) (*fixture, weft.Result, *retry.Client) {
			n++
			return nil, weft.Result{}, nil
		}, nil)
	}
}

// doOnce is a first attempt that succeeds, with closures, a deadline and observers
// as transport has them.
func doOnce(tb testing.TB) func() {
	tb.Helper()
	events, discarded := 0, 0
	observe := func(retry.Event, int) { events++ }
	p := retry.Policy{Budget: budget(tb, retry.BudgetOptions{}), Backoff: retry.Constant(0), Observe: observe}
	c := &retry.Client{Budget: budget(tb, retry.BudgetOptions{}), Observe: observe}
	ctx, cancel := context.WithTimeout(tb.Context(), time.Hour)
	tb.Cleanup(cancel)
	f := &fixture{}
	return func() {
		var last *fixture
		rep, res := retry.Do(ctx, p, func(context.Context, int) (*fixture, weft.Result, *retry.Client) {
			last = f
			return f, weft.Result{}, c
		}, func(*fixture) { discarded++ })
		if rep != last || res.Err != nil {
			tb.Error("wrong outcome")
		}
	}
}

// counting is a budget that only counts. It is for one goroutine.
type counting struct{ tokens, deposits int }

func (c *counting) Deposit()     { c.deposits++ }
func (c *counting) Balance() int { return c.tokens }
func (c *counting) Withdraw() bool {
	if c.tokens == 0 {
		return false
	}
	c.tokens--
	return true
}

// recording is a backoff of 1, 2 ns that keeps what it was asked.
type recording struct{ prev []time.Duration }

func (r *recording) Next(attempt int, prev time.Duration) time.Duration {
	r.prev = append(r.prev, prev)
	if attempt > 2 {
		return -1
	}
	return time.Duration(attempt)
}
