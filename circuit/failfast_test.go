package circuit_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/circuit"
)

var errRefused = errors.New("connection refused")

// probes makes a probe that fails as long as down says, and records when it ran.
type probes struct {
	began time.Time
	at    []time.Duration
	down  time.Duration
}

func (p *probes) probe(context.Context) error {
	now := time.Since(p.began)
	p.at = append(p.at, now)
	if now < p.down {
		return errRefused
	}
	return nil
}

// Vector 55, and recovery through a probe.
func TestFailFast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probes{began: time.Now(), down: 3 * time.Second}
		var told []weft.Status
		f := circuit.NewFailFast(circuit.FailFastOptions{
			Threshold: 1,
			Probe:     p.probe,
			Backoff:   list{time.Second, 2 * time.Second, 4 * time.Second},
			OnStatus:  func(s weft.Status) { told = append(told, s) },
		})
		require.NoError(t, f.Err())
		assert.Equal(t, weft.Open, f.Status())

		f.Failed(errRefused)
		f.Failed(errRefused) // of an attempt that was under way
		assert.Equal(t, weft.Busy, f.Status())
		require.ErrorIs(t, f.Err(), circuit.ErrDown)
		require.ErrorIs(t, f.Err(), errRefused)
		assert.EqualValues(t, 1, f.Stats().MarkedDead.Load())

		wait(2 * time.Second)
		since, tries := f.Unhealthy()
		assert.Equal(t, 2*time.Second, since)
		assert.Equal(t, 1, tries)
		require.Error(t, f.Err())

		wait(time.Second)
		assert.Equal(t, []time.Duration{time.Second, 3 * time.Second}, p.at)
		require.NoError(t, f.Err())
		assert.EqualValues(t, 1, f.Stats().MarkedAvailable.Load())
		assert.EqualValues(t, 2, f.Stats().Probes.Load())
		since, tries = f.Unhealthy()
		assert.Zero(t, since)
		assert.Zero(t, tries)
		assert.Equal(t, []weft.Status{weft.Busy, weft.Open}, told)

		f.Failed(errRefused)
		assert.EqualValues(t, 2, f.Stats().MarkedDead.Load())
		require.NoError(t, f.Close())
	})
}

// One failure is not enough by default, nor are two with a success between.
func TestFailFastThreshold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := circuit.NewFailFast(circuit.FailFastOptions{})
		f.Failed(errRefused)
		require.NoError(t, f.Err())
		f.Connected()
		f.Failed(errRefused)
		require.NoError(t, f.Err())
		f.Failed(errRefused)
		require.Error(t, f.Err())
		wait(time.Second)
		require.NoError(t, f.Err())
		f.Failed(errRefused)
		require.NoError(t, f.Err(), "the count starts again")
		require.NoError(t, f.Close())
	})
}

// Vector 57: an empty backoff probes at once, and then is optimistic.
func TestFailFastEmptyBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probes{began: time.Now(), down: time.Hour}
		f := circuit.NewFailFast(circuit.FailFastOptions{Threshold: 1, Probe: p.probe, Backoff: list{}})
		f.Failed(errRefused)
		synctest.Wait()
		assert.Equal(t, []time.Duration{0}, p.at)
		require.NoError(t, f.Err())
		assert.Zero(t, f.Stats().MarkedAvailable.Load())
		require.NoError(t, f.Close())
	})
}

// Without a probe the endpoint is up after the first time.
func TestFailFastWithoutProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := circuit.NewFailFast(circuit.FailFastOptions{Threshold: 1})
		f.Failed(errRefused)
		wait(time.Second - 1)
		require.Error(t, f.Err())
		wait(1)
		require.NoError(t, f.Err())
		require.NoError(t, f.Close())
	})
}

// The default backoff has no end, and jitter from its second time on.
func TestFailFastDefaultBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probes{began: time.Now(), down: time.Hour}
		f := circuit.NewFailFast(circuit.FailFastOptions{Threshold: 1, Probe: p.probe})
		f.Failed(errRefused)
		wait(time.Hour + 32*time.Second)
		require.NoError(t, f.Err())
		require.NoError(t, f.Close())
		assert.Equal(t, time.Second, p.at[0])
		for i := 6; i < len(p.at); i++ {
			gap := p.at[i] - p.at[i-1]
			assert.GreaterOrEqual(t, gap, 16*time.Second)
			assert.Less(t, gap, 32*time.Second)
		}
	})
}

// Vector 58.
func TestFailFastClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probes{began: time.Now(), down: time.Hour}
		f := circuit.NewFailFast(circuit.FailFastOptions{Threshold: 1, Probe: p.probe})
		f.Failed(errRefused)
		require.NoError(t, f.Close())
		wait(time.Hour)
		assert.Empty(t, p.at)
		assert.Equal(t, weft.Closed, f.Status())
		f.Failed(errRefused)
		require.NoError(t, f.Close())
	})
}

// Close cancels a running probe and waits for it; a probe has a timeout.
func TestFailFastProbeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended []error
		f := circuit.NewFailFast(circuit.FailFastOptions{
			Threshold: 1,
			Backoff:   every(time.Second),
			Probe: func(ctx context.Context) error {
				<-ctx.Done()
				ended = append(ended, ctx.Err())
				return ctx.Err()
			},
		})
		f.Failed(errRefused)
		wait(2 * time.Second) // the first probe began at 1 s and has 1 s
		assert.Equal(t, []error{context.DeadlineExceeded}, ended)
		wait(1500 * time.Millisecond)
		require.NoError(t, f.Close())
		assert.Equal(t, []error{context.DeadlineExceeded, context.Canceled}, ended)
	})
}

func TestFailFastStress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := circuit.NewFailFast(circuit.FailFastOptions{
			Backoff: every(time.Millisecond),
			Probe:   func(context.Context) error { return nil },
		})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for i := range 1_000 {
					switch {
					case f.Err() != nil:
						time.Sleep(time.Millisecond)
					case i%3 == 0:
						f.Connected()
					default:
						f.Failed(errRefused)
					}
					f.Unhealthy()
				}
			})
		}
		wg.Wait()
		wait(time.Second)
		assert.Positive(t, f.Stats().MarkedDead.Load())
		assert.Equal(t, f.Stats().MarkedDead.Load(), f.Stats().MarkedAvailable.Load())
		require.NoError(t, f.Close())
	})
}
