package balancer

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
)

// made returns a balancer over n endpoints with a fixed seed, whose clock is *now.
func made(t *testing.T, n int, o Options) (b *Balancer, now *int64) {
	t.Helper()
	if o.Rand == (Rand{}) {
		o.Rand = NewRand(42)
	}
	b, now = New(o), new(int64)
	b.clock = func() int64 { return *now }
	b.Update(set(n))
	return b, now
}

func mustPick(t *testing.T, b *Balancer) Pick {
	t.Helper()
	p, err := b.Pick(t.Context(), weft.Call{})
	require.NoError(t, err)
	return p
}

// spread picks r times, finishing each pick at once or never.
func spread(t *testing.T, b *Balancer, r int, finish bool) map[string]int {
	t.Helper()
	got := map[string]int{}
	for range r {
		p := mustPick(t, b)
		got[p.Endpoint.Addr()]++
		if finish {
			p.Done(weft.Result{})
		}
	}
	return got
}

// ticking lets every tick start a request, which ends after latency(endpoint)
// ticks; negative means never.
func ticking(t *testing.T, b *Balancer, now *int64, r int, latency func(i int) int64) []int {
	t.Helper()
	eps := b.Endpoints()
	index := map[*Endpoint]int{}
	for i, e := range eps {
		index[e] = i
	}
	picks := make([]int, len(eps))
	ends := map[int64][]Pick{}
	for range r {
		*now++
		for _, p := range ends[*now] {
			p.Done(weft.Result{})
		}
		delete(ends, *now)
		p := mustPick(t, b)
		i := index[p.Endpoint]
		picks[i]++
		if l := latency(i); l >= 0 {
			ends[*now+l] = append(ends[*now+l], p)
		}
	}
	return picks
}
