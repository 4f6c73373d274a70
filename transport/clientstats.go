package transport

import (
	"sync/atomic"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/telemetry"
)

// clientStats are the metrics of a bound name: every attempt counts.
type clientStats struct {
	requestStats
	scope    *telemetry.Scope
	accrual  circuit.Stats
	failFast circuit.FailFastStats

	requeues, exhausted, limit, notOpen, cannotRetry telemetry.Counter
	perRequest                                       *telemetry.Stat

	pairs registry[dtab.Path, *pairStats]
}

// pairStats are the metrics of one logical name at one client. They live as long
// as a route leads from the one to the other.
type pairStats struct {
	requestStats
	scope *telemetry.Scope
}

var (
	clientGauges    = gauges("available", "load", "pending")                                                //nolint:gochecknoglobals // a table
	pairFields      = table(gauges("pending"), requestCounters)                                             //nolint:gochecknoglobals // a table
	requeueCounters = counters("budget_exhausted", "cannot_retry", "not_open", "request_limit", "requeues") //nolint:gochecknoglobals // a table
	accrualCounters = counters("probes", "removals", "removed_for_ms", "revivals")                          //nolint:gochecknoglobals // a table
	failFastFields  = table(                                                                                //nolint:gochecknoglobals // a table
		gauges("is_marked_dead", "unhealthy_for_ms", "unhealthy_num_tries"), counters("marked_available", "marked_dead"),
	)
)

func newClientStats(scope *telemetry.Scope) *clientStats {
	r := scope.Scope("retries")
	s := &clientStats{scope: scope, perRequest: r.Stat("requeues_per_request")}
	s.init(scope)
	scope.Group(requestCounters, s.requested)
	r.Group(requeueCounters, func(values []float64) {
		for i, c := range [...]*telemetry.Counter{&s.exhausted, &s.cannotRetry, &s.notOpen, &s.limit, &s.requeues} {
			values[i] = float64(c.Value())
		}
	})
	scope.Scope("failure_accrual").Group(accrualCounters, func(values []float64) {
		a := &s.accrual
		for i, c := range [...]*atomic.Int64{&a.Probes, &a.Removals, &a.RemovedForMs, &a.Revivals} {
			values[i] = float64(c.Load())
		}
	})
	return s
}

// observe counts what the retry loop reports of the client.
func (s *clientStats) observe(e retry.Event, n int) {
	switch e {
	case retry.Requeued:
		s.requeues.Inc()
	case retry.RequeuesPerRequest:
		s.perRequest.Record(int64(n))
	case retry.RequeueBudgetExhausted:
		s.exhausted.Inc()
	case retry.RequestLimit:
		s.limit.Inc()
	case retry.NotOpen:
		s.notOpen.Inc()
	case retry.CannotRetry:
		s.cannotRetry.Inc()
	default:
	}
}

// export publishes as gauges what the client's parts know.
func (s *clientStats) export(c *Client) {
	s.scope.Group(clientGauges, func(values []float64) {
		if c.Status() == weft.Open {
			values[0] = 1
		}
		pending := float64(s.pending.Value())
		values[1], values[2] = pending, pending
	})
	s.scope.Scope("retries").Group(budgetGauge, func(values []float64) { values[0] = float64(c.requeues.Balance()) })
	exportBalancer(s.scope.Scope("loadbalancer"), c.balancer, c.opts.Balancer.Policy)
	if c.opts.FailFast {
		s.scope.Scope("failfast").Group(failFastFields, func(values []float64) {
			dead, longest, tries := c.failingFast()
			copy(values, []float64{dead, float64(s.failFast.MarkedAvailable.Load()), float64(s.failFast.MarkedDead.Load()), longest, tries})
		})
	}
}

// failingFast returns how many endpoints are marked dead, for how many milliseconds the one
// has been that is so for longest, and how many probes have failed since, of all.
func (c *Client) failingFast() (dead, longest, failed float64) {
	for _, e := range c.balancer.Endpoints() {
		state, ok := e.Attachment.(*endpointState)
		if !ok || state.failFast == nil || state.failFast.Err() == nil {
			continue
		}
		since, tries := state.failFast.Unhealthy()
		dead++
		longest = max(longest, float64(since.Milliseconds()))
		failed += float64(tries)
	}
	return dead, longest, failed
}

// pairWith returns the metrics of the logical name path at this client, until
// unpair.
func (s *clientStats) pairWith(path dtab.Path) *pairStats {
	return s.pairs.take(path, func() *pairStats {
		scope := s.scope.Scope("service", trimSlash(path))
		p := &pairStats{scope: scope}
		p.init(scope)
		scope.Group(pairFields, func(values []float64) {
			values[0] = float64(p.pending.Value())
			p.requested(values[1:])
		})
		return p
	})
}

// unpair drops the metrics of a logical name when no route leads here any more.
func (s *clientStats) unpair(path dtab.Path) {
	s.pairs.give(path, func(p *pairStats) { p.scope.Prune() })
}
