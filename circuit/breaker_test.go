package circuit_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/circuit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func result(c weft.Class) weft.Result { return weft.Result{Class: c} }

// breaker runs test in a bubble with a Breaker that dies at the first failure, for
// 5, 7, 9 s. It checks that OnStatus was told each change and nothing else.
func breaker(t *testing.T, test func(b *circuit.Breaker)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		told := weft.Open
		b := circuit.New(circuit.Options{
			Policy: circuit.ConsecutiveFailures{N: 1, Backoff: list{five, 7 * time.Second, 9 * time.Second}},
			OnStatus: func(s weft.Status) {
				assert.NotEqual(t, told, s)
				told = s
			},
		})
		test(b)
		if b.Status() != weft.Closed {
			assert.Equal(t, b.Status(), told)
		}
		require.NoError(t, b.Close())
		require.NoError(t, b.Close())
		assert.Equal(t, weft.Closed, b.Status())
	})
}

func call(b *circuit.Breaker, c weft.Class) { b.End(b.Begin(), result(c)) }

func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// Vector 50.
func TestBreakerRevives(t *testing.T) {
	breaker(t, func(b *circuit.Breaker) {
		assert.Equal(t, circuit.Alive, b.State())
		call(b, weft.Success)
		assert.Equal(t, weft.Open, b.Status())
		call(b, weft.Failure)
		assert.Equal(t, circuit.Dead, b.State())
		assert.Equal(t, weft.Busy, b.Status())
		assert.EqualValues(t, 1, b.Stats().Removals.Load())
		assert.EqualValues(t, 5000, b.Stats().RemovedForMs.Load())

		wait(five - 1)
		assert.Equal(t, circuit.Dead, b.State())
		wait(1)
		assert.Equal(t, circuit.ProbeOpen, b.State())
		assert.Equal(t, weft.Open, b.Status())
		assert.Zero(t, b.Stats().Probes.Load())

		probe := b.Begin()
		assert.Equal(t, circuit.ProbeClosed, b.State())
		assert.Equal(t, weft.Busy, b.Status())
		assert.EqualValues(t, 1, b.Stats().Probes.Load())
		b.End(probe, result(weft.Success))
		assert.Equal(t, circuit.Alive, b.State())
		assert.EqualValues(t, 1, b.Stats().Revivals.Load())

		call(b, weft.Failure)
		assert.EqualValues(t, 10_000, b.Stats().RemovedForMs.Load(), "the backoff starts again")
	})
}

// Vector 51.
func TestBreakerProbeFails(t *testing.T) {
	breaker(t, func(b *circuit.Breaker) {
		call(b, weft.Retryable)
		wait(five)
		call(b, weft.Failure)
		assert.Equal(t, circuit.Dead, b.State())
		assert.EqualValues(t, 1, b.Stats().Removals.Load(), "it was out already")
		assert.EqualValues(t, 12_000, b.Stats().RemovedForMs.Load())
		wait(7*time.Second - 1)
		assert.Equal(t, circuit.Dead, b.State())
		wait(1)
		assert.Equal(t, circuit.ProbeOpen, b.State())
	})
}

// Vector 52.
func TestBreakerProbeIgnored(t *testing.T) {
	breaker(t, func(b *circuit.Breaker) {
		call(b, weft.Ignored)
		assert.Equal(t, circuit.Alive, b.State())
		call(b, weft.Failure)
		wait(five)
		call(b, weft.Ignored)
		assert.Equal(t, circuit.ProbeOpen, b.State())
		assert.EqualValues(t, 1, b.Stats().Probes.Load())
		call(b, weft.Success)
		assert.Equal(t, circuit.Alive, b.State())
		assert.EqualValues(t, 2, b.Stats().Probes.Load())
	})
}

// A probe whose failure the policy keeps silent about is followed by another.
func TestBreakerProbeFailsSilently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := circuit.New(circuit.Options{Policy: fixed{{five, true}, {0, false}}.policy()})
		call(b, weft.Failure)
		wait(five)
		call(b, weft.Failure)
		assert.Equal(t, circuit.ProbeOpen, b.State())
		require.NoError(t, b.Close())
	})
}

// Vector 53.
func TestBreakerOneProbe(t *testing.T) {
	breaker(t, func(b *circuit.Breaker) {
		call(b, weft.Failure)
		wait(five)
		var wg sync.WaitGroup
		tokens := make([]circuit.Token, 50)
		for i := range tokens {
			wg.Go(func() { tokens[i] = b.Begin() })
		}
		wg.Wait()
		assert.EqualValues(t, 1, b.Stats().Probes.Load())
		assert.Equal(t, circuit.ProbeClosed, b.State())
	})
}

// Vector 54.
func TestBreakerCountsConnectFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := circuit.New(circuit.Options{})
		for range 5 {
			assert.Equal(t, circuit.Alive, b.State())
			b.End(b.Begin(), weft.Result{Class: weft.Retryable, Err: &weft.Error{Stage: weft.StageConnect, Unsent: true}})
		}
		assert.Equal(t, circuit.Dead, b.State())
		require.NoError(t, b.Close())
	})
}

// While Dead, requests pass (the breaker only advises) and their outcomes change
// nothing, nor do those of requests sent before.
func TestBreakerDeadIgnoresOutcomes(t *testing.T) {
	breaker(t, func(b *circuit.Breaker) {
		before := []circuit.Token{b.Begin(), b.Begin()}
		call(b, weft.Failure)
		b.End(before[0], result(weft.Failure))
		b.End(before[1], result(weft.Success))
		call(b, weft.Failure)
		call(b, weft.Success)
		assert.Equal(t, circuit.Dead, b.State())
		assert.EqualValues(t, 5000, b.Stats().RemovedForMs.Load(), "the period is not extended")
		wait(five)
		assert.Equal(t, circuit.ProbeOpen, b.State())
	})
}

// In ProbeClosed only the probe decides; in Finagle the first outcome of any
// request does.
func TestBreakerOnlyTheProbeDecides(t *testing.T) {
	for _, class := range []weft.Class{weft.Success, weft.Failure, weft.Ignored} {
		breaker(t, func(b *circuit.Breaker) {
			beforeOutage := b.Begin()
			call(b, weft.Failure)
			whileDead := b.Begin()
			wait(five)
			b.End(beforeOutage, result(class))
			assert.Equal(t, circuit.ProbeOpen, b.State())
			probe := b.Begin()
			besideProbe := b.Begin()
			b.End(whileDead, result(class))
			b.End(besideProbe, result(class))
			assert.Equal(t, circuit.ProbeClosed, b.State(), class)
			b.End(probe, result(weft.Success))
			assert.Equal(t, circuit.Alive, b.State())
		})
	}
}

// Failures of requests sent before or during an outage do not take a revived
// endpoint out again.
func TestBreakerStaleFailures(t *testing.T) {
	breaker(t, func(b *circuit.Breaker) {
		stale := []circuit.Token{b.Begin()}
		call(b, weft.Failure)
		stale = append(stale, b.Begin())
		wait(five)
		probe := b.Begin()
		stale = append(stale, b.Begin())
		b.End(probe, result(weft.Success))
		for _, token := range stale {
			b.End(token, result(weft.Failure))
		}
		assert.Equal(t, circuit.Alive, b.State())
		call(b, weft.Failure)
		assert.Equal(t, circuit.Dead, b.State())
	})
}

// A probe of an earlier outage says nothing about the present one.
func TestBreakerProbeOfEarlierOutage(t *testing.T) {
	breaker(t, func(b *circuit.Breaker) {
		call(b, weft.Failure)
		wait(five)
		slow := b.Begin()
		wait(10 * time.Second) // it runs out of time
		call(b, weft.Failure)  // the next probe
		wait(7 * time.Second)
		b.Begin()
		b.End(slow, result(weft.Success))
		assert.Equal(t, circuit.ProbeClosed, b.State())
	})
}

// A probe that does not end lets the next request probe, and still counts when it
// ends.
func TestBreakerProbeTimeout(t *testing.T) {
	for _, tc := range []struct {
		class weft.Class
		want  circuit.State
	}{
		{weft.Success, circuit.Alive},
		{weft.Failure, circuit.Dead},
		{weft.Ignored, circuit.ProbeOpen},
	} {
		breaker(t, func(b *circuit.Breaker) {
			call(b, weft.Failure)
			wait(five)
			slow := b.Begin()
			wait(10*time.Second - 1)
			assert.Equal(t, circuit.ProbeClosed, b.State())
			wait(1)
			assert.Equal(t, circuit.ProbeOpen, b.State())
			assert.EqualValues(t, 1, b.Stats().ProbeTimeouts.Load())
			b.End(slow, result(tc.class))
			assert.Equal(t, tc.want, b.State())
		})
	}
	breaker(t, func(b *circuit.Breaker) {
		call(b, weft.Failure)
		wait(five)
		slow := b.Begin()
		wait(10 * time.Second)
		b.Begin()
		b.End(slow, result(weft.Ignored))
		assert.Equal(t, circuit.ProbeClosed, b.State(), "there is another probe")
		b.End(slow, result(weft.Success))
		assert.Equal(t, circuit.Alive, b.State())
	})
}

// Timers of a state that has ended do nothing.
func TestBreakerOldTimers(t *testing.T) {
	breaker(t, func(b *circuit.Breaker) {
		call(b, weft.Failure)
		wait(five)
		call(b, weft.Success) // well within its probe's time
		wait(time.Hour)
		assert.Equal(t, circuit.Alive, b.State())
		assert.Zero(t, b.Stats().ProbeTimeouts.Load())
	})
}

func TestBreakerClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := 0
		b := circuit.New(circuit.Options{
			Policy:   circuit.ConsecutiveFailures{N: 1},
			OnStatus: func(weft.Status) { told++ },
		})
		open := b.Begin()
		call(b, weft.Failure)
		require.NoError(t, b.Close())
		b.End(open, result(weft.Failure))
		call(b, weft.Failure)
		call(b, weft.Success)
		wait(time.Hour)
		assert.Equal(t, weft.Closed, b.Status())
		assert.Equal(t, 1, told)
	})
}

func TestStateNames(t *testing.T) {
	assert.Equal(t, "alive", circuit.Alive.String())
	assert.Equal(t, "probe closed", circuit.ProbeClosed.String())
	assert.Equal(t, "unknown", circuit.State(99).String())
}
