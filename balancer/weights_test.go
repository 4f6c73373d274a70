package balancer

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
)

// Vectors 113 and 117.
func TestAlias(t *testing.T) {
	_, err := newAlias(nil)
	require.ErrorIs(t, err, errNoWeights)
	_, err = newAlias([]float64{1, -1})
	require.ErrorIs(t, err, errNegativeWeight)
	for _, v := range []struct {
		weights, want []float64
	}{
		{[]float64{0, 0, 0}, []float64{1. / 3, 1. / 3, 1. / 3}},
		{[]float64{.5, .5}, []float64{.5, .5}},
		{[]float64{.5, 1, 1.5, 2}, []float64{.1, .2, .3, .4}},
		{[]float64{0, 3}, []float64{0, 1}},
		{[]float64{1e-3, 1e3, 1}, []float64{1e-3 / 1001.001, 1e3 / 1001.001, 1 / 1001.001}},
		{[]float64{7}, []float64{1}},
	} {
		table, err := newAlias(v.weights)
		require.NoError(t, err)
		exact := make([]float64, len(v.want))
		for i, p := range table.prob {
			exact[i] += p / float64(len(v.want))
			exact[table.other[i]] += (1 - p) / float64(len(v.want))
		}
		assert.InDeltaSlice(t, v.want, exact, 1e-12, v.weights)
		r, got := NewRand(1), make([]float64, len(v.want))
		for range 100_000 {
			got[table.draw(r)] += 1e-5
		}
		assert.InDeltaSlice(t, v.want, got, .006, v.weights)
	}
}

func TestSharesAreExactUnderEveryPolicyAndAnyLoad(t *testing.T) {
	for name, policy := range policies() {
		for _, finish := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/finish=%t", name, finish), func(t *testing.T) {
				if a, ok := policy.(Aperture); ok {
					a.MinAperture = 100 // all of them
					policy = a
				}
				b, _ := made(t, 0, Options{Policy: policy})
				s := set(20)
				sum := 0.0
				for i := range s.Endpoints {
					s.Endpoints[i].Weight = []float64{0, .5, 3, -1, 0, 0}[i%6]
					sum += s.Endpoints[i].Share()
				}
				b.Update(s)
				if a, ok := policy.(Aperture); ok && a.Coordinate != nil {
					return // one client's window is not the whole
				}
				got := spread(t, b, 50_000, finish)
				for i, e := range s.Endpoints {
					want := 50_000 * e.Share() / sum
					tol := .12*want + 4*math.Sqrt(want)*btof(want > 0)
					if _, ok := policy.(Aperture); ok {
						tol *= 2 // compares load/weight after drawing by weight
					}
					assert.InDelta(t, want, got[e.Addr], tol, i)
				}
			})
		}
	}
}

func btof(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func TestAllSharesZeroIsUniform(t *testing.T) {
	for name, policy := range policies() {
		b, _ := made(t, 0, Options{Policy: policy})
		s := set(4)
		for i := range s.Endpoints {
			s.Endpoints[i].Weight = -1
		}
		b.Update(s)
		got := spread(t, b, 4000, false)
		require.Len(t, got, 4, name)
		for addr, k := range got {
			assert.InDelta(t, 1000, k, 120, "%s %s", name, addr)
		}
	}
}

func TestWeightClassWithoutHealthyEndpointsIsSkipped(t *testing.T) {
	b, _ := made(t, 0, Options{OnAllUnhealthy: FailFast})
	s := set(4)
	s.Endpoints[0].Weight = 1000
	b.Update(s)
	b.Endpoints()[0].SetStatus(weft.Busy)
	got := spread(t, b, 1000, true)
	assert.Len(t, got, 3)
	assert.Positive(t, b.Stats().BusyClasses)
	assert.Zero(t, b.Stats().Panicked)
	assert.Equal(t, 2, b.Stats().WeightClasses)
	assert.InDelta(t, 1003./4, b.Stats().MeanWeight, 1e-9)
}

func TestWeightsThatAreNoNumbersCountAsOne(t *testing.T) {
	b, _ := made(t, 0, Options{})
	s := set(4)
	s.Endpoints[0].Weight = math.NaN()
	s.Endpoints[1].Weight = math.Inf(1)
	s.Endpoints[2].Weight = 1e300
	b.Update(s)
	b.Update(s)
	assert.Equal(t, 1, b.Stats().WeightClasses)
	assert.Len(t, spread(t, b, 1000, true), 4)
}

func TestWeightChangeKeepsTheHandle(t *testing.T) {
	b, _ := made(t, 2, Options{})
	before := b.Endpoints()
	s := set(2)
	s.Endpoints[1].Weight = 9
	s.Endpoints[0].Meta = map[string]string{"a": "b"}
	b.Update(s)
	assert.Equal(t, before, b.Endpoints())
	assert.EqualValues(t, 2, b.Stats().Rebuilds)
	assert.Equal(t, "b", before[0].Info().Meta["a"])
	assert.InDelta(t, 9000, spread(t, b, 10_000, true)[before[1].Addr()], 200)
	// Metadata alone is no reason to rebuild.
	s = set(2)
	s.Endpoints[1].Weight = 9
	b.Update(s)
	assert.EqualValues(t, 2, b.Stats().Rebuilds)
	assert.Nil(t, before[0].Info().Meta)
}
