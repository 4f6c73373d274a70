package balancer

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEMA(t *testing.T) {
	type sample struct {
		at int64
		x  float64
	}
	for _, v := range []struct {
		id      string
		window  float64
		samples []sample
		want    []float64
	}{
		{"1a", 1000, []sample{{10, 10}, {20, 10}, {30, 10}, {40, 5}}, []float64{10, 10, 10, 9.950249}},
		{"1b", 1000, []sample{{10, 10}, {30, 10}, {40, 5}}, []float64{10, 10, 9.950249}},
		{"2", 0, []sample{{1, 10}, {2, 20}, {3, 30}, {4, 0}}, []float64{10, 20, 30, 0}},
		{"3", 5, []sample{{2, 5}}, []float64{5}},
		{"time goes back", 10, []sample{{20, 4}, {10, 8}}, []float64{4, 4}},
	} {
		t.Run(v.id, func(t *testing.T) {
			m := ema{window: v.window}
			for i, s := range v.samples {
				assert.InDelta(t, v.want[i], m.update(s.at, s.x), 1e-6)
			}
		})
	}
}

func TestDecayIsExpOnBothSidesOfTheSwitch(t *testing.T) {
	for _, x := range []float64{0, 1e-9, 1e-4, 9.99e-4, 1e-3, 1.1e-3, .1, 1, 50} {
		assert.InEpsilon(t, math.Exp(-x), decay(x), 1e-9)
	}
}
