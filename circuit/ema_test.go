package circuit

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Vectors 1 to 3.
func TestEma(t *testing.T) {
	a, b := ema{window: 1000}, ema{window: 1000}
	for _, stamp := range []int64{10, 20, 30} {
		a.update(stamp, 10)
	}
	for _, stamp := range []int64{10, 30} {
		b.update(stamp, 10)
	}
	assert.InDelta(t, a.value, b.value, 1e-12)
	assert.InDelta(t, 9.950249, a.update(40, 5), 1e-6)
	assert.InDelta(t, 9.950249, b.update(40, 5), 1e-6)

	c := ema{}
	for i, x := range []float64{10, 20, 30, 0} {
		assert.InDelta(t, x, c.update(int64(i), x), 0)
	}

	d := ema{window: 5}
	assert.InDelta(t, 3, d.update(1, 3), 0)
	d.reset()
	assert.InDelta(t, 0, d.value, 0)
	assert.InDelta(t, 5, d.update(2, 5), 0)
}

// The step of SuccessRate against the general form.
func TestRateIsAnEma(t *testing.T) {
	r := SuccessRate{Requests: 37}.New().(*rate)
	e := ema{window: 37}
	for i := range int64(200) {
		x := float64(i % 3 / 2)
		r.update(x)
		assert.InDelta(t, e.update(i+1, x), r.value, 1e-12)
	}
}

func TestCounter(t *testing.T) {
	c := newCounter(10*time.Second, 5)
	for i := range 10 {
		c.add(time.Duration(i) * time.Second)
	}
	assert.EqualValues(t, 10, c.sum(9*time.Second))
	assert.EqualValues(t, 8, c.sum(10*time.Second))
	assert.EqualValues(t, 8, c.sum(11*time.Second))
	assert.EqualValues(t, 2, c.sum(16*time.Second))
	assert.EqualValues(t, 0, c.sum(time.Hour))
	c.add(0)
	assert.EqualValues(t, 1, c.sum(0), "an older time counts as now")
}

// Vectors 4 and 5.
func TestNackAverage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, err := NewNack(NackOptions{Window: 300 * time.Millisecond, MinPerSecond: -1})
		require.NoError(t, err)
		for _, want := range []float64{
			71.65313105737893, 51.34171190325921, 36.787944117144235, 26.35971381157268, 18.887560283756187,
		} {
			time.Sleep(100 * time.Millisecond)
			n.Observe(true)
			assert.InDelta(t, want/100, n.AcceptRate(), 1e-14)
			n.Observe(true)
			assert.InDelta(t, want/100, n.AcceptRate(), 1e-14, "a second sample at the same moment")
		}
	})
}

// Vector 62 and the curve of the specification.
func TestNackDrop(t *testing.T) {
	n, err := NewNack(NackOptions{})
	require.NoError(t, err)
	for rate, want := range map[float64]float64{
		1: 0, 0.5: 0, 0.4: 0.2, 0.3: 0.4, 0.2: 0.6, 0.125: 0.75, 0.1: 0.75, 0: 0.75,
	} {
		assert.InDelta(t, want, n.drop(rate), 1e-12, "%v", rate)
	}
	n, err = NewNack(NackOptions{Threshold: 0.2, MaxDrop: 1})
	require.NoError(t, err)
	assert.InDelta(t, 0, n.drop(0.8), 0)
	assert.InDelta(t, 0.5, n.drop(0.4), 1e-12)
	assert.InDelta(t, 1, n.drop(0), 1e-12)
}

func TestNackOptionsRefused(t *testing.T) {
	for _, o := range []NackOptions{
		{Window: -1},
		{Threshold: 1},
		{Threshold: -0.1},
		{Threshold: math.NaN()},
		{MaxDrop: 1.1},
	} {
		_, err := NewNack(o)
		require.ErrorContains(t, err, "circuit: nack admission: ")
	}
}

// The default backoff: 5 s, then doubling to 300 s, drawn from the upper half.
func TestDefaultBackoff(t *testing.T) {
	for range 200 {
		p := position{}
		assert.Equal(t, 5*time.Second, p.next())
		low := 5 * time.Second
		for range 5 {
			d := p.next()
			assert.GreaterOrEqual(t, d, low)
			assert.Less(t, d, 2*low)
			low *= 2
		}
		seen := map[time.Duration]bool{}
		for range 60 {
			d := p.next()
			assert.GreaterOrEqual(t, d, 150*time.Second)
			assert.Less(t, d, 300*time.Second)
			seen[d] = true
		}
		assert.Greater(t, len(seen), 50, "jitter at the cap")
		p.reset()
		assert.Equal(t, 5*time.Second, p.next())
	}
}
