package retry

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Vector 6.
func TestWindowForgetsWholeSlices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWindow(3*time.Second, 3)
		w.add(1)
		assert.EqualValues(t, 1, w.sum())
		time.Sleep(time.Second)
		w.add(2)
		assert.EqualValues(t, 3, w.sum())
		for _, want := range []int64{3, 2, 0} {
			time.Sleep(time.Second)
			assert.Equal(t, want, w.sum())
		}
	})
}

// Finagle's window restarts a slice at each access and drops the remainder, so
// that under sparse accesses an entry lives for up to twice the window.
func TestWindowDoesNotDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWindow(10*time.Second, 10)
		w.add(1)
		for range 5 { // 1.9 s apart
			time.Sleep(1900 * time.Millisecond)
			assert.EqualValues(t, 1, w.sum())
		}
		time.Sleep(500 * time.Millisecond) // 10 s since the add
		assert.EqualValues(t, 0, w.sum())
	})
}

func TestWindowLongIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWindow(10*time.Second, 10)
		for range 10 {
			w.add(1)
			time.Sleep(time.Second)
		}
		assert.EqualValues(t, 9, w.sum())
		time.Sleep(1000 * time.Hour)
		assert.EqualValues(t, 0, w.sum())
		w.add(7)
		assert.EqualValues(t, 7, w.sum())
	})
}

// Vectors 8 and 9, as sequences of puts, gets and pauses on a leaky bucket of 3 s.
func TestLeakyBucketVectors(t *testing.T) {
	type step struct {
		put  int64
		get  int64
		want bool
		wait time.Duration
	}
	for _, tc := range []struct {
		id      string
		reserve int64
		steps   []step
	}{
		{id: "8", steps: []step{
			{put: 100},
			{get: 1, want: true},
			{wait: 3 * time.Second},
			{get: 1},
		}},
		// The original drifts: its third get after a pause still fails.
		{id: "9", reserve: 100, steps: []step{
			{get: 50, want: true},
			{get: 50, want: true},
			{get: 1},
			{put: 1},
			{get: 1, want: true},
			{wait: time.Second},
			{get: 1},
			{wait: time.Second},
			{get: 1},
			{wait: time.Second},
			{get: 1, want: true},
			{wait: time.Second},
			{get: 50, want: true},
			{wait: 3 * time.Second},
			{get: 100, want: true},
			{get: 1},
		}},
	} {
		t.Run(tc.id, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWindow(3*time.Second, slices)
				for i, s := range tc.steps {
					time.Sleep(s.wait)
					if s.put > 0 {
						w.add(s.put)
					}
					if s.get > 0 {
						assert.Equal(t, s.want, w.take(s.get, tc.reserve), "step %d", i)
					}
				}
			})
		})
	}
}

// Vectors 18 and 19, and the other prices of the specification.
func TestBucketArithmetic(t *testing.T) {
	for _, tc := range []struct {
		o              BudgetOptions
		price, reserve int64
	}{
		{BudgetOptions{}, 5_000, 500_000},
		{BudgetOptions{Ratio: 0.1}, 10_000, 1_000_000},
		{BudgetOptions{Ratio: 0.01}, 100_000, 10_000_000},
		{BudgetOptions{Ratio: 2}, 500, 50_000},
		{BudgetOptions{Ratio: 1000}, 1, 100},
		{BudgetOptions{Ratio: 0.001, TTL: time.Minute, MinPerSecond: 36}, 1_000_000, 2_160_000_000},
		{BudgetOptions{Ratio: None}, 1, 100},
		{BudgetOptions{MinPerSecond: None}, 5_000, 0},
	} {
		b, err := NewBudget(tc.o)
		require.NoError(t, err)
		bucket, ok := b.(*bucket)
		require.True(t, ok)
		assert.Equal(t, tc.price, bucket.price, "%+v", tc.o)
		assert.Equal(t, tc.reserve, bucket.reserve, "%+v", tc.o)
		assert.EqualValues(t, tc.reserve/tc.price, b.Balance(), "%+v", tc.o)
	}
}

// The bucket against a list of everything that ever happened.
func TestBucketAgainstModel(t *testing.T) {
	type step struct {
		Kind  int
		Pause time.Duration
	}
	rapid.Check(t, func(rt *rapid.T) {
		o := BudgetOptions{
			TTL:          time.Duration(rapid.IntRange(1, 60).Draw(rt, "ttl")) * time.Second,
			MinPerSecond: rapid.SampledFrom([]int{None, 1, 10}).Draw(rt, "min"),
			Ratio:        rapid.SampledFrom([]float64{0.01, 0.2, 0.5, 1, 2}).Draw(rt, "ratio"),
		}
		steps := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step {
			return step{
				rapid.IntRange(0, 3).Draw(rt, "kind"),
				time.Duration(rapid.Int64Range(0, int64(o.TTL/slices*2)).Draw(rt, "pause")),
			}
		}), 1, 200).Draw(rt, "steps")

		// Draws and failures of rapid stay outside the bubble, which is another
		// goroutine.
		wrong := ""
		synctest.Test(t, func(*testing.T) {
			b, err := NewBudget(o)
			if err != nil {
				wrong = err.Error()
				return
			}
			m := model{bucket: b.(*bucket), began: time.Now(), slice: o.TTL / slices}
			for i, s := range steps {
				var want, got any
				switch s.Kind {
				case 0:
					b.Deposit()
					m.log(m.bucket.deposit)
				case 1, 2:
					can := m.count() >= m.bucket.price
					want, got = can, b.Withdraw()
					if can {
						m.log(-m.bucket.price)
					}
				default:
					time.Sleep(s.Pause)
				}
				if want != got {
					wrong = fmt.Sprintf("step %d: withdraw: want %v, got %v", i, want, got)
					return
				}
				if want, got := int(max(m.count(), 0)/m.bucket.price), b.Balance(); want != got {
					wrong = fmt.Sprintf("step %d: balance: want %v, got %v", i, want, got)
					return
				}
			}
		})
		require.Empty(rt, wrong)
	})
}

type model struct {
	bucket  *bucket
	began   time.Time
	slice   time.Duration
	entries []struct{ tick, amount int64 }
}

func (m *model) now() int64 { return int64(time.Since(m.began) / m.slice) }

func (m *model) log(amount int64) {
	m.entries = append(m.entries, struct{ tick, amount int64 }{m.now(), amount})
}

func (m *model) count() int64 {
	n, now := m.bucket.reserve, m.now()
	for _, e := range m.entries {
		if e.tick > now-slices {
			n += e.amount
		}
	}
	return n
}
