package transport

import (
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/telemetry"
)

var (
	balancerGauges = gauges("available", "busy", "closed", "load", "meanweight", "num_weight_classes", "size")                                //nolint:gochecknoglobals // a table
	balancerCounts = counters("adds", "busy_weight_classes", "expired", "max_effort_exhausted", "panicked", "rebuilds", "removes", "updates") //nolint:gochecknoglobals // a table

	apertureGauges = gauges("logical_aperture", "physical_aperture", "use_deterministic_ordering", "vector_hash") //nolint:gochecknoglobals // a table
	apertureCounts = counters("coordinate_updates")                                                               //nolint:gochecknoglobals // a table
	bandGauges     = gauges("offered_load_ema")                                                                   //nolint:gochecknoglobals // a table
	bandCounts     = counters("narrow", "widen")                                                                  //nolint:gochecknoglobals // a table
)

// exportBalancer publishes a balancer's numbers under the names of Finagle's
// loadbalancer scope.
func exportBalancer(scope *telemetry.Scope, b *balancer.Balancer, p balancer.Policy) {
	scope.Group(balancerGauges, func(field int) float64 {
		s := b.Stats()
		return [...]float64{
			float64(s.Available), float64(s.Busy), float64(s.Closed), s.Load, s.MeanWeight, float64(s.WeightClasses), float64(s.Size),
		}[field]
	})
	scope.Group(balancerCounts, func(field int) float64 {
		s := b.Stats()
		return float64([...]uint64{s.Adds, s.BusyClasses, s.Expired, s.Panicked, s.Panicked, s.Rebuilds, s.Removes, s.Updates}[field])
	})
	if name := algorithm(p); name != "" {
		scope.Scope("algorithm").Gauge(name, one)
	}
	if _, ok := p.(balancer.Aperture); !ok {
		return
	}
	scope.Group(apertureGauges, func(field int) float64 {
		a := b.Stats().Aperture
		deterministic := 0
		if a.Deterministic {
			deterministic = 1
		}
		return [...]float64{float64(a.Logical), float64(a.Physical), float64(deterministic), float64(a.VectorHash)}[field]
	})
	scope.Group(apertureCounts, func(int) float64 { return float64(b.Stats().Aperture.Coordinates) })
	band := scope.Scope("loadband")
	band.Group(bandGauges, func(int) float64 { return b.Stats().Aperture.OfferedLoad })
	band.Group(bandCounts, func(field int) float64 {
		a := b.Stats().Aperture
		return float64([...]uint64{a.Narrowed, a.Widened}[field])
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
