package retry_test

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/retry"
)

func budget(tb testing.TB, o retry.BudgetOptions) retry.Budget {
	tb.Helper()
	b, err := retry.NewBudget(o)
	require.NoError(tb, err)
	return b
}

// Vector 11.
func TestEmptyBudget(t *testing.T) {
	for _, b := range []retry.Budget{
		retry.Empty{},
		budget(t, retry.BudgetOptions{MinPerSecond: retry.None, Ratio: retry.None}),
	} {
		assert.Equal(t, 0, b.Balance())
		assert.False(t, b.Withdraw())
		b.Deposit()
		assert.False(t, b.Withdraw())
	}
}

// Vector 12.
func TestInfiniteBudget(t *testing.T) {
	b := retry.Infinite{}
	assert.Equal(t, 100, b.Balance())
	assert.True(t, b.Withdraw())
	assert.Equal(t, 100, b.Balance())
}

// Vector 13.
func TestBudgetOptionsRefused(t *testing.T) {
	for _, tc := range []struct {
		o    retry.BudgetOptions
		want string
	}{
		{retry.BudgetOptions{TTL: time.Nanosecond}, "ttl 1ns: must be from 1s to 60s"},
		{retry.BudgetOptions{TTL: 61 * time.Second}, "ttl 1m1s: must be from 1s to 60s"},
		{retry.BudgetOptions{TTL: -time.Second}, "ttl -1s: must be from 1s to 60s"},
		{retry.BudgetOptions{MinPerSecond: -1}, "minimum -1 per second: must not be negative"},
		{retry.BudgetOptions{Ratio: -1}, "ratio -1: must be from 0 to 1000"},
		{retry.BudgetOptions{Ratio: 1000.1}, "ratio 1000.1: must be from 0 to 1000"},
		{retry.BudgetOptions{Ratio: math.NaN()}, "ratio NaN: must be from 0 to 1000"},
		{retry.BudgetOptions{Ratio: 1e-300}, "ratio 1e-300: too small; use None for 0"},
		{retry.BudgetOptions{MinPerSecond: math.MaxInt}, "too large with ratio 0.2"},
	} {
		_, err := retry.NewBudget(tc.o)
		require.Error(t, err, "%+v", tc.o)
		assert.ErrorContains(t, err, "retry: budget: ")
		assert.ErrorContains(t, err, tc.want)
	}
}

// Vector 15.
func TestBudgetRatio(t *testing.T) {
	for _, p := range []float64{0.0001, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999} {
		t.Run(fmt.Sprint(p), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := budget(t, retry.BudgetOptions{MinPerSecond: retry.None, Ratio: p})
				retries := 0
				for range 10_000 {
					b.Deposit()
					if b.Withdraw() {
						retries++
					}
				}
				assert.InDelta(t, 10_000*p, retries, 1+1e-9)
			})
		})
	}
}

// Vector 16.
func TestBudgetRatioAboveOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget(t, retry.BudgetOptions{MinPerSecond: retry.None, Ratio: 2})
		for range 10_000 {
			b.Deposit()
		}
		assert.Equal(t, 20_000, b.Balance())
	})
}

// Vector 17.
func TestBudgetMinimumOnly(t *testing.T) {
	for _, o := range []retry.BudgetOptions{
		{TTL: time.Second, MinPerSecond: 10, Ratio: retry.None},
		{TTL: 2 * time.Second, MinPerSecond: 5, Ratio: retry.None},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := budget(t, o)
			assert.Equal(t, 10, b.Balance())
			retries := 0
			for range 100 {
				b.Deposit()
				if b.Withdraw() {
					retries++
				}
			}
			assert.Equal(t, 10, retries)
			assert.Equal(t, 0, b.Balance())
			time.Sleep(o.TTL)
			assert.Equal(t, 10, b.Balance(), "the reserve is there again after the TTL")
		})
	}
}

// The default budget: 100 at first, and 10 requests add 2 (routers V76).
func TestBudgetDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget(t, retry.BudgetOptions{})
		assert.Equal(t, 100, b.Balance())
		for range 10 {
			b.Deposit()
		}
		assert.Equal(t, 102, b.Balance())
		time.Sleep(10 * time.Second)
		assert.Equal(t, 100, b.Balance())
	})
}

func TestWithdrawOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := budget(t, retry.BudgetOptions{MinPerSecond: retry.None, Ratio: 1})
		inner := retry.WithdrawOnly(shared)
		inner.Deposit()
		assert.Equal(t, 0, shared.Balance())
		shared.Deposit()
		assert.Equal(t, 1, inner.Balance())
		assert.True(t, inner.Withdraw())
		assert.False(t, shared.Withdraw())
	})
}

// Goroutines never withdraw more than was deposited.
func TestBudgetConcurrent(t *testing.T) {
	b := budget(t, retry.BudgetOptions{TTL: time.Minute, MinPerSecond: retry.None, Ratio: 0.5})
	var got atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5_000 {
				b.Deposit()
				if b.Withdraw() {
					got.Add(1)
				}
				b.Balance()
			}
		})
	}
	wg.Wait()
	for b.Withdraw() {
		got.Add(1)
	}
	assert.EqualValues(t, 20_000, got.Load())
}

func TestBudgetAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	b := budget(t, retry.BudgetOptions{})
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		b.Deposit()
		b.Withdraw()
		b.Balance()
	}))
}

func BenchmarkBudgetDeposit(b *testing.B) {
	x := budget(b, retry.BudgetOptions{})
	b.ReportAllocs()
	for b.Loop() {
		x.Deposit()
	}
}

func BenchmarkBudgetWithdraw(b *testing.B) {
	x := budget(b, retry.BudgetOptions{Ratio: 1000})
	b.ReportAllocs()
	for b.Loop() {
		x.Deposit()
		x.Withdraw()
	}
}

func BenchmarkBudgetDepositParallel(b *testing.B) {
	x := budget(b, retry.BudgetOptions{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			x.Deposit()
		}
	})
}
