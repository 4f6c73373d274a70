package balancer

import (
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
)

func indexes(arcs []arc) (is []int, sum float64) {
	for _, a := range arcs {
		is = append(is, a.index)
		sum += a.overlap
	}
	return is, sum
}

func windowOf(b *Balancer) *window {
	switch p := b.snap.Load().classes[0].picker.(type) {
	case latencyWindow:
		return p.window
	default:
		return p.(*window)
	}
}

// Vector 114.
func TestRandomApertureIsAPrefix(t *testing.T) {
	b, _ := made(t, 24, Options{Policy: Aperture{MinAperture: 12}})
	got := spread(t, b, 10_000, true)
	assert.Len(t, got, 12)
	for _, e := range windowOf(b).eps[:12] {
		assert.InDelta(t, 10_000/12, got[e.Addr()], 120)
	}
	assert.Equal(t, 12, b.Stats().Aperture.Physical)
	// A different process has a different window.
	c, _ := made(t, 24, Options{Policy: Aperture{MinAperture: 12}, Rand: NewRand(7)})
	same := 0
	for addr := range spread(t, c, 10_000, true) {
		if got[addr] > 0 {
			same++
		}
	}
	assert.Less(t, same, 12)
}

func TestRandomApertureLeavesUnhealthyEndpoints(t *testing.T) {
	b, _ := made(t, 24, Options{Policy: Aperture{MinAperture: 3}})
	sick := windowOf(b).eps[1]
	sick.SetStatus(weft.Busy)
	assert.Equal(t, sick, windowOf(b).eps[23])
	assert.Len(t, spread(t, b, 1000, true), 3)
	assert.Zero(t, b.Stats().Panicked)
	sick.SetStatus(weft.Open)
	assert.Equal(t, sick, windowOf(b).eps[1], "the order of the rest is stable")
}

func TestApertureKeepsItsWidthAcrossRebuilds(t *testing.T) {
	b, now := made(t, 24, Options{Policy: Aperture{}})
	for range 40 {
		*now += 1e9
		mustPick(t, b)
	}
	width := b.Stats().Aperture.Logical
	assert.Greater(t, width, 10)
	b.Update(set(25))
	assert.Equal(t, width, b.Stats().Aperture.Logical)
	b.Update(set(5))
	assert.Equal(t, 5, b.Stats().Aperture.Logical)
	b.Update(set(25))
	assert.Equal(t, width, b.Stats().Aperture.Logical)
}

// Vector 122. Coming down, the width holds while the load is inside the band, so
// that it is bounded by the low mark and not by the high one.
func TestLoadBand(t *testing.T) {
	b := newBand(Aperture{LowLoad: .875, HighLoad: 1.125, MinAperture: 1, SmoothWindow: 100})
	now := int64(0)
	settle := func(c float64) float64 {
		for range 2000 {
			now++
			b.update(now, c, 100)
		}
		return float64(b.width(100))
	}
	for c := 1.0; c <= 60; c++ {
		assert.InDelta(t, c/1.125, settle(c), 1, "up to %v", c)
	}
	for c := 60.0; c > 0; c-- {
		width := settle(c)
		assert.GreaterOrEqual(t, width, c/1.125-1, "down to %v", c)
		assert.LessOrEqual(t, width, c/.875+1, "down to %v", c)
	}
	// At rest it does not oscillate.
	before := b.widened
	settle(1.2)
	settle(1.2)
	assert.LessOrEqual(t, b.widened, before+1)
	settle(0)
	assert.Equal(t, 1, b.width(100))
	settle(1000)
	assert.EqualValues(t, 100, b.size.Load(), "bounded by the set")
}

// Vectors 115, 118, 120 and 124.
func TestRing(t *testing.T) {
	arcs := ring(18, nil, Coordinate{1, 4}, 12)
	is, sum := indexes(arcs)
	assert.Equal(t, []int{4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}, is, "115")
	assert.InDelta(t, .5, arcs[0].overlap, 0, "115")
	assert.InDelta(t, .75*18, sum, 1e-12, "115")

	// 118: the whole ring with 10 endpoints, four fifths of it with 15.
	_, sum = indexes(ring(10, []float64{1, 2, 3, 4, 1, 2, 3, 4, 1, 2}, Coordinate{1, 4}, 12))
	assert.InDelta(t, 10, sum, 1e-9)
	w := make([]float64, 15)
	for i := range w {
		w[i] = float64(i%3 + 1)
	}
	_, sum = indexes(ring(15, w, Coordinate{1, 5}, 12))
	assert.InDelta(t, .8*15, sum, 1e-9)

	for _, v := range []struct{ total, n, slices, window int }{
		{3, 36, 1, 12},
		{10, 100, 2, 20},
		{5, 20, 3, 12},
		{12, 144, 1, 12},
		{10, 20, 6, 12},
		{20, 20, 12, 12},
		{100, 50, 24, 12},
		{1, 10, 1, 10},
		{2, 24, 1, 12},
	} {
		assert.Equal(t, v.slices, unitSlices(v.n, v.total, 12), "120: %+v", v)
		for id := range v.total {
			if id*v.n%v.total == 0 {
				is, _ := indexes(ring(v.n, nil, Coordinate{id, v.total}, 12))
				assert.Len(t, is, v.window, "120: %+v id %d", v, id)
			}
		}
	}

	for id, first := range []int{0, 5, 10, 15, 0, 5} {
		assert.Equal(t, first, ring(20, nil, Coordinate{id, 4}, 12)[0].index, "124")
	}
	assert.Equal(t, ring(20, nil, Coordinate{1, 4}, 12), ring(20, nil, Coordinate{-3, 4}, 12))
}

// Vector 121: all clients together give each endpoint the same share, exactly.
func TestRingIsUniform(t *testing.T) {
	for total := 1; total <= 12; total++ {
		for n := 1; n <= 40; n++ {
			share := make([]*big.Rat, n)
			for i := range share {
				share[i] = new(big.Rat)
			}
			for id := range total {
				arcs := ring(n, nil, Coordinate{id, total}, 12)
				length := new(big.Rat)
				for _, a := range arcs {
					length.Add(length, exact(t, a.overlap, total))
				}
				for _, a := range arcs {
					share[a.index].Add(share[a.index], new(big.Rat).Quo(exact(t, a.overlap, total), length))
				}
			}
			want := big.NewRat(int64(total), int64(n))
			for i := range share {
				require.Zero(t, share[i].Cmp(want), "C=%d n=%d i=%d: %s", total, n, i, share[i])
			}
		}
	}
}

// exact turns an overlap back into the multiple of 1/total that it is.
func exact(t *testing.T, overlap float64, total int) *big.Rat {
	t.Helper()
	k := int64(overlap*float64(total) + .5)
	require.InDelta(t, float64(k), overlap*float64(total), 1e-9)
	return big.NewRat(k, int64(total))
}

func TestWeightedRingIsProportional(t *testing.T) {
	weights := []float64{1, 2, .5, 4, 1, 1, 1, 3, 2, 1, 1, 1, 2, 2, 5, 1, 1, .1}
	share, sum := make([]float64, len(weights)), 0.0
	for _, w := range weights {
		sum += w
	}
	for id := range 7 {
		arcs := ring(len(weights), weights, Coordinate{id, 7}, 12)
		_, total := indexes(arcs)
		for _, a := range arcs {
			share[a.index] += a.overlap / total
		}
	}
	for i, w := range weights {
		assert.InDelta(t, 7*w/sum, share[i], 1e-9)
	}
}

// Vector 116.
func TestDeterministicAperture(t *testing.T) {
	where := weft.NewVar(Coordinate{})
	b, _ := made(t, 40, Options{Policy: Aperture{Coordinate: where}})
	spread(t, b, 10, true)
	assert.False(t, b.Stats().Aperture.Deterministic, "unknown: random")

	where.Store(Coordinate{1, 4})
	b.Update(set(40))
	spread(t, b, 1, true)
	st := b.Stats()
	assert.True(t, st.Aperture.Deterministic)
	assert.EqualValues(t, 2, st.Rebuilds)
	assert.EqualValues(t, 1, st.Aperture.Coordinates)
	assert.Equal(t, 20, st.Aperture.Physical)
	got := spread(t, b, 20_000, true)
	assert.Len(t, got, 20)

	for _, e := range windowOf(b).eps {
		e.SetStatus(weft.Busy)
	}
	spread(t, b, 10, true)
	assert.EqualValues(t, 10, b.Stats().Panicked)
	assert.EqualValues(t, 2, b.Stats().Rebuilds, "116: no rebuild")

	where.Store(Coordinate{3, 4})
	spread(t, b, 10, true)
	assert.EqualValues(t, 3, b.Stats().Rebuilds, "116: rebuild")

	// The order, and with it the window, does not depend on that of the set.
	s := set(40)
	slices.Reverse(s.Endpoints)
	c := New(Options{Policy: Aperture{Coordinate: weft.Const[Coordinate]{V: Coordinate{1, 4}}}})
	c.Update(s)
	assert.Equal(t, b.Stats().Aperture.VectorHash, c.Stats().Aperture.VectorHash)
	for addr := range spread(t, c, 20_000, true) {
		assert.Positive(t, got[addr])
	}
}

// An endpoint that is in the window by half gets half, and no more under load.
func TestDeterministicApertureHonoursOverlaps(t *testing.T) {
	for _, cost := range []*EWMA{nil, {}} {
		b, _ := made(t, 18, Options{
			Policy: Aperture{Cost: cost, Coordinate: weft.Const[Coordinate]{V: Coordinate{1, 4}}},
		})
		partial := windowOf(b).eps[0]
		k := spread(t, b, 27_000, false)[partial.Addr()]
		assert.InDelta(t, 1000, k, 100)
	}
}

// All clients together, each with its own state and load.
func TestDeterministicApertureIsFair(t *testing.T) {
	const clients, servers = 10, 40
	got := map[string]int{}
	connections := 0
	for id := range clients {
		b, _ := made(t, servers, Options{
			Policy: Aperture{Coordinate: weft.Const[Coordinate]{V: Coordinate{id, clients}}}, Rand: NewRand(uint64(id)),
		})
		mine := spread(t, b, 40_000, false)
		connections += len(mine)
		for addr, k := range mine {
			got[addr] += k
		}
	}
	assert.Len(t, got, servers)
	for addr, k := range got {
		assert.InDelta(t, 10_000, k, 500, addr)
	}
	assert.Equal(t, 12*clients, connections)
}
