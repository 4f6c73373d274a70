package balancer

import (
	"container/heap"
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
)

// simulation is a discrete-event simulation of one open-loop client: servers
// with unlimited concurrency, virtual time, and one generator per purpose so that
// all policies see the same arrivals.
type simulation struct {
	policy   Policy
	servers  int
	qps      float64
	poisson  bool
	length   time.Duration
	warmUp   time.Duration
	seed     uint64
	answer   func(server int, now time.Duration, r *rand.Rand) (time.Duration, weft.Class)
	observer func(b *Balancer, now time.Duration)
}

type outcome struct {
	requests, failed, slow int // slow: longer than a second
	perServer              map[string]int
}

func (o outcome) failedPct() float64 { return 100 * float64(o.failed) / float64(o.requests) }
func (o outcome) slowPct() float64   { return 100 * float64(o.slow) / float64(o.requests) }

type completion struct {
	at   int64
	seq  int
	pick Pick
	cl   weft.Class
}

type agenda []completion

func (a *agenda) Len() int { return len(*a) }
func (a *agenda) Less(i, j int) bool {
	x, y := (*a)[i], (*a)[j]
	return x.at < y.at || x.at == y.at && x.seq < y.seq
}
func (a *agenda) Swap(i, j int) { (*a)[i], (*a)[j] = (*a)[j], (*a)[i] }
func (a *agenda) Push(x any)    { *a = append(*a, x.(completion)) }
func (a *agenda) Pop() any {
	old := *a
	x := old[len(old)-1]
	*a = old[:len(old)-1]
	return x
}

func (s simulation) run(t *testing.T) outcome {
	t.Helper()
	b := New(Options{Policy: s.policy, Rand: NewRand(s.seed)})
	now := int64(0)
	b.clock = func() int64 { return now }
	b.Update(set(s.servers))
	index := map[string]int{}
	for i, e := range set(s.servers + 1).Endpoints {
		index[e.Addr] = i
	}
	arrivals, service := rand.New(rand.NewPCG(s.seed, 1)), rand.New(rand.NewPCG(s.seed, 2))
	out := outcome{perServer: map[string]int{}}
	var todo agenda
	next := int64(0)
	for seq := 0; next < int64(s.length); seq++ {
		for len(todo) > 0 && todo[0].at <= next {
			x := heap.Pop(&todo).(completion)
			now = x.at
			x.pick.Done(weft.Result{Class: x.cl})
		}
		now = next
		p, err := b.Pick(context.Background(), weft.Call{})
		require.NoError(t, err)
		took, cl := s.answer(index[p.Endpoint.Addr()], time.Duration(now), service)
		heap.Push(&todo, completion{now + int64(took), seq, p, cl})
		if now >= int64(s.warmUp) {
			out.requests++
			out.perServer[p.Endpoint.Addr()]++
			if cl.Failed() {
				out.failed++
			}
			if took > time.Second {
				out.slow++
			}
		}
		if s.observer != nil {
			s.observer(b, time.Duration(now))
		}
		gap := 1e9 / s.qps
		if s.poisson {
			gap *= arrivals.ExpFloat64()
		}
		next += int64(gap)
	}
	return out
}

func normal(r *rand.Rand, mean, dev time.Duration) time.Duration {
	return max(mean+time.Duration(r.NormFloat64()*float64(dev)), time.Microsecond)
}

// TestSlowEndpoint is the scenario of Buoyant's "Beyond round robin" (2016):
// vector 135.
func TestSlowEndpoint(t *testing.T) {
	slow := func(server int, now time.Duration, r *rand.Rand) (time.Duration, weft.Class) {
		if server == 0 && now >= 15*time.Second && now < 45*time.Second {
			return 2 * time.Second, weft.Success
		}
		return normal(r, 167*time.Millisecond, 5*time.Millisecond), weft.Success
	}
	for _, c := range []struct {
		name   string
		policy Policy
		lo, hi float64
	}{
		{"roundRobin", RoundRobin{}, 4.545 * .8, 4.545 * 1.2},
		{"p2c", P2C{}, .5 * .8, .5 * 1.2},
		{"ewma original", EWMA{OriginalCost: true}, .07 * .8, .07 * 1.2},
		{"ewma", EWMA{}, 0, .07 * 1.2},
		{"heap", Heap{}, 0, 1.2},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(3) {
				got := simulation{policy: c.policy, servers: 11, qps: 1000, length: time.Minute, seed: seed + 1, answer: slow}.run(t).slowPct()
				t.Logf("seed %d: %.4f %% slow", seed, got)
				assert.GreaterOrEqual(t, got, c.lo)
				assert.LessOrEqual(t, got, c.hi)
			}
		})
	}
}

// TestFastFailingEndpoint is the siren, an endpoint half of whose answers are
// fast failures: vector 136.
func TestFastFailingEndpoint(t *testing.T) {
	siren := func(share float64) func(int, time.Duration, *rand.Rand) (time.Duration, weft.Class) {
		return func(server int, now time.Duration, r *rand.Rand) (time.Duration, weft.Class) {
			if server == 0 && now >= 10*time.Second && r.Float64() < share {
				return time.Millisecond, weft.Failure
			}
			return normal(r, 50*time.Millisecond, 10*time.Millisecond), weft.Success
		}
	}
	for _, c := range []struct {
		name   string
		policy Policy
		share  float64
		lo, hi float64
	}{
		{"half, original", EWMA{OriginalCost: true}, .5, 7.5 * .8, 7.5 * 1.2},
		{"half, p2c", P2C{}, .5, 7.3 * .8, 7.3 * 1.2},
		{"half", EWMA{}, .5, 0, .02},
		{"all, original", EWMA{OriginalCost: true}, 1, 20.1 * .8, 20.1 * 1.2},
		{"all", EWMA{}, 1, 0, .02},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(3) {
				got := simulation{
					policy: c.policy, servers: 10, qps: 1000, poisson: true, seed: seed + 1,
					length: time.Minute, warmUp: 10 * time.Second, answer: siren(c.share),
				}.run(t).failedPct()
				t.Logf("seed %d: %.4f %% failed", seed, got)
				assert.GreaterOrEqual(t, got, c.lo)
				assert.LessOrEqual(t, got, c.hi)
			}
		})
	}
}

// A new endpoint of a busy set gets at most 2/n of the requests of its first
// second, and does get some.
func TestNoStampedeOntoANewEndpoint(t *testing.T) {
	for name, policy := range policies() {
		if name == "apertureRing" {
			continue // the new endpoint may be outside the window
		}
		if a, ok := policy.(Aperture); ok {
			a.MinAperture = 100
			policy = a
		}
		t.Run(name, func(t *testing.T) {
			first, updated := 0, false
			simulation{
				policy: policy, servers: 10, qps: 1000, poisson: true, seed: 1, length: 7 * time.Second,
				answer: func(server int, now time.Duration, r *rand.Rand) (time.Duration, weft.Class) {
					if server == 10 && now < 6*time.Second {
						first++
					}
					return normal(r, 50*time.Millisecond, 10*time.Millisecond), weft.Success
				},
				observer: func(b *Balancer, now time.Duration) {
					if now >= 5*time.Second && !updated {
						updated = true
						b.Update(set(11))
					}
				},
			}.run(t)
			assert.Positive(t, first)
			assert.LessOrEqual(t, float64(first), 2./11*1000*1.1)
		})
	}
}
