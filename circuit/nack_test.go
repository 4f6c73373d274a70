package circuit_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/circuit"
)

func nack(t *testing.T, o circuit.NackOptions) *circuit.Nack {
	t.Helper()
	n, err := circuit.NewNack(o)
	require.NoError(t, err)
	return n
}

// send makes a request that is answered with a nack or not, if it is admitted.
func send(n *circuit.Nack, nacked bool) bool {
	if !n.Admit() {
		return false
	}
	n.Observe(nacked)
	return true
}

// Vector 59.
func TestNackCrossesThreshold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nack(t, circuit.NackOptions{Window: 3 * time.Second, Rand: func() float64 { return 0 }})
		for range 100 {
			require.True(t, send(n, false))
			time.Sleep(10 * time.Millisecond)
		}
		nacks := 0
		for n.AcceptRate() >= 0.5 {
			require.True(t, send(n, true))
			nacks++
			time.Sleep(10 * time.Millisecond)
		}
		assert.Equal(t, 208, nacks)
		assert.InDelta(t, 0.5000930677240232, 1-n.AcceptRate(), 1e-12)
		assert.False(t, n.Admit())
	})
}

// Vector 60, first half.
func TestNackDropsAfterGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nack(t, circuit.NackOptions{Window: 100 * time.Millisecond, Rand: func() float64 { return 0 }})
		for range 5 {
			require.True(t, send(n, true))
		}
		time.Sleep(200 * time.Millisecond)
		for i := range 10 {
			assert.Equal(t, i == 0, send(n, true), "call %d", i)
			time.Sleep(time.Millisecond)
		}
		assert.EqualValues(t, 9, n.Dropped())
	})
}

// Vector 60, second half.
func TestNackDropShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nack(t, circuit.NackOptions{Window: 100 * time.Millisecond})
		for range 1_000 {
			send(n, true)
			time.Sleep(time.Millisecond)
		}
		assert.Less(t, n.AcceptRate(), 0.01)
		before := n.Dropped()
		for range 1_000 {
			send(n, true)
			time.Sleep(time.Millisecond)
		}
		assert.InDelta(t, 750, n.Dropped()-before, 100)
		for range 1_000 {
			send(n, false)
			time.Sleep(time.Millisecond)
		}
		assert.Greater(t, n.AcceptRate(), 0.9)
		before = n.Dropped()
		require.True(t, send(n, false))
		assert.Equal(t, before, n.Dropped())
	})
}

// Vector 61.
func TestNackLowTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nack(t, circuit.NackOptions{Window: time.Second, Rand: func() float64 { return 0 }})
		for range 100 {
			time.Sleep(250 * time.Millisecond) // 4 per second
			require.True(t, send(n, true))
		}
		assert.InDelta(t, 1, n.AcceptRate(), 0)

		for n.AcceptRate() >= 0.5 {
			time.Sleep(10 * time.Millisecond)
			send(n, true)
		}
		time.Sleep(time.Hour)
		assert.False(t, n.Admit(), "a low rate drops whatever the traffic")
	})
}

func TestNackStress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nack(t, circuit.NackOptions{Window: 10 * time.Millisecond})
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for range 2_000 {
					send(n, i%2 == 0)
					time.Sleep(time.Microsecond)
				}
			})
		}
		wg.Wait()
		assert.GreaterOrEqual(t, n.AcceptRate(), 0.0)
		assert.LessOrEqual(t, n.AcceptRate(), 1.0)
	})
}

func TestNackAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	n := nack(t, circuit.NackOptions{})
	assert.Zero(t, testing.AllocsPerRun(100, func() { send(n, false) }))
}

func BenchmarkNack(b *testing.B) {
	n, err := circuit.NewNack(circuit.NackOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		send(n, false)
	}
}
