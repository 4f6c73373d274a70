package balancer

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft"
)

func TestEstimateKeepsBoth(t *testing.T) {
	assert.Zero(t, estimate(0).ns(), "no history")
	rapid.Check(t, func(rt *rapid.T) {
		ns := rapid.Float64Range(1, 1e13).Draw(rt, "ns")
		tick := rapid.Uint32().Draw(rt, "tick")
		later := rapid.Uint32Range(0, math.MaxInt32).Draw(rt, "later")
		e := makeEstimate(ns, tick)
		assert.InEpsilon(rt, ns, e.ns(), 1e-7)
		assert.InDelta(rt, float64(later), e.age(tick+later), 0, "also across the wrap")
		if later > 0 {
			assert.Zero(rt, e.age(tick-later), "observers that come late do not make it older")
		}
	})
}

// The clock in ticks wraps after some hours.
func TestEWMADecaysAcrossTheWrapOfItsClock(t *testing.T) {
	b, now := made(t, 1, Options{Policy: EWMA{}})
	m := b.snap.Load().classes[0].picker.(*ewmaPicker)
	m.mean.Store(0)
	wrap := int64(1) << (32 + m.shift)
	*now = wrap - int64(time.Second)
	e := b.Endpoints()[0]
	m.Observe(e, weft.Result{Latency: 100 * time.Millisecond}, *now)
	assert.InDelta(t, 100e6*math.Exp(-.2), m.load(e, 1, *now+int64(2*time.Second)), 1e3)
}
