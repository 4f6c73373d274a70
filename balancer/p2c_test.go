package balancer

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
)

const (
	nodes = 100
	calls = 100_000
)

// Vector 95.
func TestP2CIsEvenUnderEqualLoad(t *testing.T) {
	b, _ := made(t, nodes, Options{})
	got := spread(t, b, calls, false)
	require.Len(t, got, nodes)
	for addr, k := range got {
		assert.InDelta(t, calls/nodes, k, 1e-4*calls, addr)
	}
}

// Vectors 96 and 97.
func TestP2CLeavesDownEndpointsAndReturnsGently(t *testing.T) {
	b, _ := made(t, nodes, Options{})
	sick := b.Endpoints()[7]
	sick.SetStatus(weft.Busy)
	got := spread(t, b, calls, false)
	require.Zero(t, got[sick.Addr()])
	for addr, k := range got {
		assert.InDelta(t, float64(calls)/(nodes-1), k, 1e-4*calls, addr)
	}
	// The revived endpoint has much less outstanding work than all others for the
	// next R/3 picks and wins each comparison it is part of: 2/n of them.
	sick.SetStatus(weft.Open)
	k := spread(t, b, calls/3, false)[sick.Addr()]
	want := 2.0 / nodes * calls / 3
	assert.InDelta(t, want, k, 4*math.Sqrt(want))
}

// Vectors 99 and 100: the share of picks that find MaxEffort unhealthy pairs is
// (C(un,2)/C(n,2))^E, about u^(2E).
func TestP2CPanics(t *testing.T) {
	for _, v := range []struct {
		id     string
		down   int
		effort int
	}{
		{"99", 50, 5},
		{"100: u=.5 E=4", 50, 4},
		{"100: u=.6 E=5", 60, 5},
		{"u=.1 E=1", 10, 1},
	} {
		t.Run(v.id, func(t *testing.T) {
			b, _ := made(t, nodes, Options{MaxEffort: v.effort})
			for _, e := range b.Endpoints()[:v.down] {
				e.SetStatus(weft.Closed)
			}
			spread(t, b, calls, true)
			pair := float64(v.down*(v.down-1)) / (nodes * (nodes - 1))
			want := calls * math.Pow(pair, float64(v.effort))
			assert.InDelta(t, want, b.Stats().Panicked, 4*math.Sqrt(want))
		})
	}
}

func TestP2CNeverComparesAnEndpointWithItself(t *testing.T) {
	b, _ := made(t, 2, Options{})
	busy := mustPick(t, b).Endpoint
	for range 1000 {
		p := mustPick(t, b)
		require.NotSame(t, busy, p.Endpoint)
		p.Done(weft.Result{})
	}
}

func TestP2CAvoidsWithoutTheBalancersHelp(t *testing.T) {
	b, _ := made(t, 2, Options{})
	p, addr := b.snap.Load().classes[0].picker, b.Endpoints()[0].Addr()
	for range 100 {
		require.NotEqual(t, addr, p.Pick(weft.Call{Avoid: addr}, 0).Addr())
	}
}

func TestP2CPrefersTheOnePickedLongerAgo(t *testing.T) {
	b, now := made(t, 2, Options{})
	last := ""
	for range 100 {
		*now++
		p := mustPick(t, b)
		require.NotEqual(t, last, p.Endpoint.Addr())
		last = p.Endpoint.Addr()
		p.Done(weft.Result{})
	}
}

func TestAvoid(t *testing.T) {
	for name, policy := range policies() {
		t.Run(name, func(t *testing.T) {
			if a, ok := policy.(Aperture); ok {
				a.MinAperture = 1
				policy = a
			}
			b, _ := made(t, 3, Options{Policy: policy})
			addr := b.Endpoints()[1].Addr()
			for range 200 {
				p, err := b.Pick(t.Context(), weft.Call{Avoid: addr})
				require.NoError(t, err)
				require.NotEqual(t, addr, p.Endpoint.Addr())
				p.Done(weft.Result{})
			}
			// Rather the one to avoid than one that refuses.
			b.Endpoints()[0].SetStatus(weft.Busy)
			b.Endpoints()[2].SetStatus(weft.Busy)
			for range 20 {
				p, err := b.Pick(t.Context(), weft.Call{Avoid: addr})
				require.NoError(t, err)
				require.Equal(t, addr, p.Endpoint.Addr())
				p.Done(weft.Result{})
			}
			b.Update(set(1))
			p, err := b.Pick(t.Context(), weft.Call{Avoid: "10.0.0.0:80"})
			require.NoError(t, err)
			require.Equal(t, "10.0.0.0:80", p.Endpoint.Addr())
		})
	}
}
