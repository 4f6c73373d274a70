package circuit_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/circuit"
)

// list is a backoff of these times.
type list []time.Duration

func (l list) Next(attempt int, _ time.Duration) time.Duration {
	if attempt > len(l) {
		return -1
	}
	return l[attempt-1]
}

// every is a backoff of one time.
type every time.Duration

func (e every) Next(int, time.Duration) time.Duration { return time.Duration(e) }

const (
	no   = time.Duration(-1) // no trip
	five = 5 * time.Second
)

func fail(a circuit.Accrual) time.Duration {
	d, trip := a.Failure()
	if !trip {
		return no
	}
	return d
}

func fails(a circuit.Accrual, n int) (all []time.Duration) {
	for range n {
		all = append(all, fail(a))
	}
	return all
}

// tripsAt returns which failure in a row trips a, 0 for none of limit.
func tripsAt(a circuit.Accrual, limit int, gap time.Duration) int {
	for i := range limit {
		time.Sleep(gap)
		if fail(a) != no {
			return i + 1
		}
	}
	return 0
}

// Vectors 39 to 41.
func TestConsecutiveFailures(t *testing.T) {
	p := circuit.ConsecutiveFailures{N: 3, Backoff: every(five)}
	a := p.New()
	assert.Equal(t, []time.Duration{no, no, five, five}, fails(a, 4), "the 3rd and each later one")

	for name, reset := range map[string]func(circuit.Accrual){
		"success": circuit.Accrual.Success,
		"revived": circuit.Accrual.Revived,
	} {
		a := p.New()
		assert.Equal(t, no, fail(a))
		reset(a)
		assert.Equal(t, []time.Duration{no, no, five}, fails(a, 3), name)
	}

	a = circuit.ConsecutiveFailures{N: 1, Backoff: list{1, 2}}.New()
	assert.Equal(t, []time.Duration{1, 2, 300 * time.Second, 300 * time.Second}, fails(a, 4))
	a.Revived()
	assert.Equal(t, []time.Duration{1}, fails(a, 1), "revived restarts the backoff")
	a.Success()
	assert.Equal(t, []time.Duration{2}, fails(a, 1), "success does not")

	assert.Equal(t, 5, tripsAt(circuit.ConsecutiveFailures{}.New(), 9, 0))
}

// Vector 43 and the crossings that the specification derives.
func TestSuccessRate(t *testing.T) {
	for _, tc := range []struct {
		rate     float64
		requests int
		want     int
	}{{0.5, 100, 70}, {0.8, 1000, 224}} {
		a := circuit.SuccessRate{Rate: tc.rate, Requests: tc.requests, Backoff: every(five)}.New()
		for range tc.requests {
			a.Success()
		}
		assert.Equal(t, tc.want, tripsAt(a, 999, 0))
		assert.Equal(t, five, fail(a))

		a.Revived()
		assert.Equal(t, tc.requests, tripsAt(a, 9999, 0), "only failures from the start: at the end of the window")
	}
}

func original(rate float64, window time.Duration, least int, b circuit.Backoff) circuit.SuccessRateWindowed {
	return circuit.SuccessRateWindowed{Rate: rate, Window: window, MinRequests: least, EarlyRequests: -1, Backoff: b}
}

// Vectors 44 to 46, with Finagle's blind first window.
func TestSuccessRateWindowedOriginal(t *testing.T) {
	t.Run("44", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := original(0.5, 100*time.Second, -1, every(five)).New()
			for range 100 {
				time.Sleep(time.Second)
				a.Success()
			}
			assert.Equal(t, 70, tripsAt(a, 99, time.Second))
		})
	})
	t.Run("45", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := original(1, 30*time.Second, 5, every(five)).New()
			time.Sleep(30 * time.Second)
			assert.Equal(t, []time.Duration{no, no, no, no, five}, fails(a, 5))
		})
	})
	t.Run("46", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := original(0.5, 30*time.Second, -1, every(five)).New()
			time.Sleep(time.Minute)
			a.Revived()
			assert.Equal(t, no, fail(a))
			time.Sleep(30 * time.Second)
			assert.Equal(t, five, fail(a))
		})
	})
}

// What was seen before a revival says nothing after it.
func TestSuccessRateWindowedRevived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := original(0.5, 30*time.Second, 5, every(five)).New()
		time.Sleep(time.Minute)
		for range 10 {
			a.Success()
			time.Sleep(time.Second)
		}
		a.Revived()
		time.Sleep(30 * time.Second)
		assert.Equal(t, []time.Duration{no, no, no, no, five}, fails(a, 5))
	})
}

// In place of a blind window, the plain share of successes decides from a number of
// requests on.
func TestSuccessRateWindowedEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := circuit.SuccessRateWindowed{Backoff: every(five)}
		a := p.New()
		assert.Equal(t, 20, tripsAt(a, 99, 0))
		a.Revived()
		assert.Equal(t, 20, tripsAt(a, 99, 0), "blind again, but not for the window")

		a = p.New()
		for range 16 {
			a.Success()
		}
		assert.Equal(t, []time.Duration{no, no, no, no, five}, fails(a, 5), "16 of 20 is not below 0.8, 16 of 21 is")

		a = p.New()
		for range 99 {
			a.Success()
		}
		time.Sleep(29 * time.Second)
		assert.Equal(t, no, fail(a), "the average, which this gap would make small, is not used yet")
	})
}

// Vector 47.
func TestHybrid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := circuit.Hybrid{
			A: circuit.ConsecutiveFailures{N: 3, Backoff: every(five)},
			B: original(0.8, 30*time.Second, 5, every(9*time.Second)),
		}
		a := p.New()
		assert.Equal(t, []time.Duration{no, no, five}, fails(a, 3))
		time.Sleep(30 * time.Second)
		assert.Equal(t, []time.Duration{five, five, five, five, 9 * time.Second}, fails(a, 5), "both: the longer")
		a.Success()
		assert.Equal(t, 9*time.Second, fail(a), "the second alone")
		a.Revived()
		assert.Equal(t, []time.Duration{no, no, five}, fails(a, 3))
	})
	a := circuit.Hybrid{B: circuit.ConsecutiveFailures{N: 1, Backoff: every(five)}}.New()
	a.Success()
	assert.Equal(t, five, fail(a))
	a.Revived()
}

// Vector 48: every second request fails, from birth. Finagle is blind to it for 30 s.
func TestDefaultPolicy(t *testing.T) {
	removedAfter := func(p circuit.Policy) (after time.Duration) {
		synctest.Test(t, func(*testing.T) {
			a, began := p.New(), time.Now()
			for range 10_000 {
				a.Success()
				time.Sleep(50 * time.Millisecond)
				if fail(a) != no {
					after = time.Since(began)
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		})
		return after
	}
	finagle := circuit.Hybrid{A: original(0, 0, 0, nil), B: circuit.ConsecutiveFailures{}}
	assert.InDelta(t, 30, removedAfter(finagle).Seconds(), 1)
	assert.InDelta(t, 1, removedAfter(circuit.Default()).Seconds(), 0.1, "20 requests")
}

func TestNone(t *testing.T) {
	a := circuit.None{}.New()
	assert.Equal(t, 0, tripsAt(a, 1000, 0))
	a.Success()
	a.Revived()
}

func TestPolicyValidate(t *testing.T) {
	for _, ok := range []interface{ Validate() error }{
		circuit.ConsecutiveFailures{},
		circuit.SuccessRate{},
		circuit.SuccessRateWindowed{Rate: 1, MinRequests: -1},
	} {
		require.NoError(t, ok.Validate())
	}
	for want, bad := range map[string]interface{ Validate() error }{
		"circuit: consecutive failures: -1: must be at least 1":  circuit.ConsecutiveFailures{N: -1},
		"circuit: success rate: -1 requests: must be at least 1": circuit.SuccessRate{Requests: -1},
		"circuit: success rate 1.1: must be from 0 to 1":         circuit.SuccessRate{Rate: 1.1},
		"circuit: success rate NaN: must be from 0 to 1":         circuit.SuccessRateWindowed{Rate: math.NaN()},
		"circuit: success rate: window -1s: must be positive":    circuit.SuccessRateWindowed{Window: -time.Second},
	} {
		require.EqualError(t, bad.Validate(), want)
	}
}
