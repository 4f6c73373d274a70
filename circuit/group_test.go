package circuit_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/circuit"
)

func TestGroupCap(t *testing.T) {
	for _, tc := range []struct {
		share float64
		size  int
		want  int
	}{
		{0, 4, 0},
		{0.5, 1, 0},
		{0.5, 4, 2},
		{0.5, 5, 2},
		{0.29, 100, 29}, // 0.29·100 is a little less than 29 in floating point
		{1, 3, 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			g, err := circuit.NewGroup(tc.share)
			require.NoError(t, err)
			stats := &circuit.Stats{}
			var all []*circuit.Breaker
			for range tc.size {
				all = append(all, circuit.New(circuit.Options{
					Policy: circuit.ConsecutiveFailures{N: 1, Backoff: list{five, 7 * five}},
					Group:  g,
					Stats:  stats,
				}))
			}
			for _, b := range all {
				call(b, weft.Failure)
			}
			out, size := g.Out()
			assert.Equal(t, tc.want, out, "%+v", tc)
			assert.Equal(t, tc.size, size)
			assert.EqualValues(t, tc.want, stats.Removals.Load())
			assert.EqualValues(t, tc.size-tc.want, stats.Capped.Load())
			for i, b := range all {
				if i < tc.want {
					assert.Equal(t, weft.Busy, b.Status())
				} else {
					assert.Equal(t, weft.Open, b.Status())
				}
				require.NoError(t, b.Close())
			}
			out, size = g.Out()
			assert.Zero(t, out)
			assert.Zero(t, size)
		})
	}
}

// An endpoint keeps its place among those out until it is revived, and a refused
// removal does not lengthen the next one.
func TestGroupPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := circuit.NewGroup(0.5)
		require.NoError(t, err)
		o := circuit.Options{Policy: circuit.ConsecutiveFailures{N: 1, Backoff: list{five, 7 * five}}, Group: g}
		a, b := circuit.New(o), circuit.New(o)
		call(a, weft.Failure)
		call(b, weft.Failure)
		wait(five)
		assert.Equal(t, circuit.ProbeOpen, a.State())
		call(b, weft.Failure)
		assert.Equal(t, circuit.Alive, b.State())
		call(a, weft.Success)
		call(b, weft.Failure)
		assert.Equal(t, circuit.Dead, b.State())
		wait(five)
		assert.Equal(t, circuit.ProbeOpen, b.State())
		require.NoError(t, a.Close())
		require.NoError(t, b.Close())
	})
}

func TestGroupRefused(t *testing.T) {
	for _, share := range []float64{-0.1, 1.1} {
		_, err := circuit.NewGroup(share)
		require.ErrorContains(t, err, "must be from 0 to 1")
	}
}
