package transport

import (
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/telemetry"
)

// exportBalancer publishes a balancer's numbers under the names of Finagle's
// loadbalancer scope.
func exportBalancer(scope *telemetry.Scope, b *balancer.Balancer) {
	gauge := func(name string, read func(balancer.Stats) float64) {
		scope.Gauge(name, func() float64 { return read(b.Stats()) })
	}
	gauge("size", func(s balancer.Stats) float64 { return float64(s.Size) })
	gauge("available", func(s balancer.Stats) float64 { return float64(s.Available) })
	gauge("busy", func(s balancer.Stats) float64 { return float64(s.Busy) })
	gauge("closed", func(s balancer.Stats) float64 { return float64(s.Closed) })
	gauge("load", func(s balancer.Stats) float64 { return s.Load })
	gauge("meanweight", func(s balancer.Stats) float64 { return s.MeanWeight })
	gauge("num_weight_classes", func(s balancer.Stats) float64 { return float64(s.WeightClasses) })

	counter := func(name string, read func(balancer.Stats) uint64) {
		scope.CounterFunc(name, func() int64 { return int64(read(b.Stats())) })
	}
	counter("adds", func(s balancer.Stats) uint64 { return s.Adds })
	counter("removes", func(s balancer.Stats) uint64 { return s.Removes })
	counter("updates", func(s balancer.Stats) uint64 { return s.Updates })
	counter("rebuilds", func(s balancer.Stats) uint64 { return s.Rebuilds })
	counter("panicked", func(s balancer.Stats) uint64 { return s.Panicked })
	counter("max_effort_exhausted", func(s balancer.Stats) uint64 { return s.Panicked })
	counter("busy_weight_classes", func(s balancer.Stats) uint64 { return s.BusyClasses })
}
