package transport

import (
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/telemetry"
)

var (
	balancerFields = table( //nolint:gochecknoglobals // a table
		gauges("available", "busy", "closed", "load", "meanweight", "num_weight_classes", "size"),
		counters("adds", "busy_weight_classes", "expired", "max_effort_exhausted", "panicked", "rebuilds", "removes", "updates"),
	)
	apertureFields = table( //nolint:gochecknoglobals // a table
		gauges("logical_aperture", "physical_aperture", "use_deterministic_ordering", "vector_hash"),
		counters("coordinate_updates"),
	)
	bandFields = table(gauges("offered_load_ema"), counters("narrow", "widen")) //nolint:gochecknoglobals // a table
)

// exportBalancer publishes a balancer's numbers under the names of Finagle's
// loadbalancer scope.
func exportBalancer(scope *telemetry.Scope, b *balancer.Balancer, p balancer.Policy) {
	scope.Group(balancerFields, func(values []float64) {
		s := b.Stats()
		copy(values, []float64{
			float64(s.Adds), float64(s.Available), float64(s.Busy), float64(s.BusyClasses), float64(s.Closed),
			float64(s.Expired), s.Load, float64(s.Panicked), s.MeanWeight, float64(s.WeightClasses), float64(s.Panicked),
			float64(s.Rebuilds), float64(s.Removes), float64(s.Size), float64(s.Updates),
		})
	})
	if name := algorithm(p); name != "" {
		scope.Scope("algorithm").Gauge(name, one)
	}
	if _, ok := p.(balancer.Aperture); !ok {
		return
	}
	scope.Group(apertureFields, func(values []float64) {
		a := b.Stats().Aperture
		deterministic := 0
		if a.Deterministic {
			deterministic = 1
		}
		copy(values, []float64{float64(a.Coordinates), float64(a.Logical), float64(a.Physical), float64(deterministic), float64(a.VectorHash)})
	})
	scope.Scope("loadband").Group(bandFields, func(values []float64) {
		a := b.Stats().Aperture
		copy(values, []float64{float64(a.Narrowed), a.OfferedLoad, float64(a.Widened)})
	})
}

func one() float64 { return 1 }

// algorithm returns Finagle's name of a policy, "" for those that it does not have.
func algorithm(p balancer.Policy) string {
	switch p := p.(type) {
	case nil, balancer.P2C:
		return "p2c_least_loaded"
	case balancer.EWMA:
		return "p2c_peak_ewma"
	case balancer.Heap:
		return "heap_least_loaded"
	case balancer.RoundRobin:
		return "round_robin"
	case balancer.Aperture:
		if p.Cost != nil {
			return "aperture_peak_ewma"
		}
		return "aperture_least_loaded"
	default:
		return ""
	}
}
