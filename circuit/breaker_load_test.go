package circuit_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/circuit"
)

// Many requests with random outcomes. The counters agree with each other and with
// what OnStatus was told, and the group's cap holds.
func TestBreakerStress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		group, err := circuit.NewGroup(0.5)
		require.NoError(t, err)
		stats := &circuit.Stats{}
		breakers := make([]*circuit.Breaker, 4)
		told := make([]weft.Status, len(breakers))
		var out atomic.Int64
		for i := range breakers {
			told[i] = weft.Open
			breakers[i] = circuit.New(circuit.Options{
				Policy:       circuit.Hybrid{A: circuit.ConsecutiveFailures{N: 2, Backoff: every(time.Millisecond)}, B: circuit.SuccessRateWindowed{}},
				ProbeTimeout: 3 * time.Millisecond,
				Group:        group,
				Stats:        stats,
				OnStatus: func(s weft.Status) {
					assert.NotEqual(t, told[i], s)
					told[i] = s
					if s == weft.Busy {
						out.Add(1)
					} else {
						out.Add(-1)
					}
					assert.LessOrEqual(t, out.Load(), int64(2))
				},
			})
		}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 2_000 {
					b := breakers[rand.IntN(len(breakers))]
					token := b.Begin()
					if rand.IntN(4) == 0 {
						time.Sleep(time.Duration(rand.IntN(5000)) * time.Microsecond)
					}
					b.End(token, result(weft.Class(rand.IntN(4))))
				}
			})
		}
		wg.Wait()
		assert.Positive(t, stats.Removals.Load())
		assert.Positive(t, stats.ProbeTimeouts.Load())
		assert.Positive(t, stats.Capped.Load())
		assert.LessOrEqual(t, stats.Revivals.Load(), stats.Probes.Load())
		away, size := group.Out()
		assert.EqualValues(t, away, stats.Removals.Load()-stats.Revivals.Load())
		assert.Equal(t, len(breakers), size)
		for i, b := range breakers {
			assert.Equal(t, b.Status(), told[i])
			require.NoError(t, b.Close())
		}
		away, size = group.Out()
		assert.Zero(t, away)
		assert.Zero(t, size)
	})
}

func TestBreakerAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, p := range []circuit.Policy{nil, circuit.SuccessRate{}, circuit.SuccessRateWindowed{}, circuit.Default()} {
		b := circuit.New(circuit.Options{Policy: p})
		assert.Zero(t, testing.AllocsPerRun(100, func() { call(b, weft.Success) }))
		require.NoError(t, b.Close())
	}
}

func BenchmarkBreaker(b *testing.B) {
	for name, p := range map[string]circuit.Policy{
		"consecutive": circuit.ConsecutiveFailures{},
		"rate":        circuit.SuccessRate{},
		"windowed":    circuit.SuccessRateWindowed{},
		"none":        circuit.None{},
	} {
		b.Run(name, func(b *testing.B) {
			x := circuit.New(circuit.Options{Policy: p})
			b.ReportAllocs()
			for b.Loop() {
				x.End(x.Begin(), weft.Result{})
			}
			_ = x.Close()
		})
	}
}

func BenchmarkBreakerParallel(b *testing.B) {
	x := circuit.New(circuit.Options{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			x.End(x.Begin(), weft.Result{})
		}
	})
	_ = x.Close()
}

// fixed is an accrual with these answers.
type fixed []struct {
	dead time.Duration
	trip bool
}

func (f fixed) policy() circuit.Policy { return fixedPolicy{f} }

type fixedPolicy struct{ answers fixed }

func (p fixedPolicy) New() circuit.Accrual { return &fixedAccrual{answers: p.answers} }

type fixedAccrual struct{ answers fixed }

func (*fixedAccrual) Success() {}
func (*fixedAccrual) Revived() {}
func (a *fixedAccrual) Failure() (time.Duration, bool) {
	x := a.answers[0]
	a.answers = a.answers[1:]
	return x.dead, x.trip
}
