package transport_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
)

// TestCostOfMetrics: what the router counts of a request, as service, as client and as the
// pair of both, costs less than half of the microsecond that all metrics may cost.
func TestCostOfMetrics(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector takes time")
	}
	tree := telemetry.NewTree(telemetry.Options{Window: -1})
	defer tree.Close()
	routers := make([]*transport.Router, 0, 2)
	for _, scope := range []*telemetry.Scope{nil, tree.Scope("rt", "x")} {
		in := &script{}
		in.Store(naming.Ok(fixed("/#/a", "a:1")))
		routers = append(routers, newRouter(t, transport.Options{Interpreter: in, Metrics: scope}))
	}
	const turns = 30_000
	name := path("/svc/x")
	best := [2]time.Duration{time.Hour, time.Hour}
	for range 7 { // in turns, so that what else the machine does falls on both
		for i, r := range routers {
			began := time.Now()
			for range turns {
				d := r.Dest(name, nil)
				p := mustPick(t, d)
				p.Done(weft.Result{Latency: time.Millisecond})
				d.Done(weft.Result{Latency: time.Millisecond})
			}
			best[i] = min(best[i], time.Since(began)/turns)
		}
	}
	t.Logf("a request costs %v without metrics and %v with them", best[0], best[1])
	assert.Less(t, best[1]-best[0], 500*time.Nanosecond)
}
