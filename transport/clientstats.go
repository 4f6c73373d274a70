package transport

import (
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
	pairGauge       = gauges("pending")                                                                     //nolint:gochecknoglobals // a table
	requeueCounters = counters("budget_exhausted", "cannot_retry", "not_open", "request_limit", "requeues") //nolint:gochecknoglobals // a table
	accrualCounters = counters("probes", "removals", "removed_for_ms", "revivals")                          //nolint:gochecknoglobals // a table
	failFastGauges  = gauges("is_marked_dead", "unhealthy_for_ms", "unhealthy_num_tries")                   //nolint:gochecknoglobals // a table
	failFastCounts  = counters("marked_available", "marked_dead")                                           //nolint:gochecknoglobals // a table
)

func newClientStats(scope *telemetry.Scope) *clientStats {
	r := scope.Scope("retries")
	s := &clientStats{scope: scope, perRequest: r.Stat("requeues_per_request")}
	s.init(scope)
	scope.Group(requestCounters, s.requested)
	r.Group(requeueCounters, func(field int) float64 {
		all := [...]*telemetry.Counter{&s.exhausted, &s.cannotRetry, &s.notOpen, &s.limit, &s.requeues}
		return float64(all[field].Value())
	})
	scope.Scope("failure_accrual").Group(accrualCounters, func(field int) float64 {
		a := &s.accrual
		return float64([...]int64{a.Probes.Load(), a.Removals.Load(), a.RemovedForMs.Load(), a.Revivals.Load()}[field])
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
	s.scope.Group(clientGauges, func(field int) float64 {
		switch {
		case field > 0:
			return float64(s.pending.Value())
		case c.Status() == weft.Open:
			return 1
		}
		return 0
	})
	s.scope.Scope("retries").Group(budgetGauge, func(int) float64 { return float64(c.requeues.Balance()) })
	exportBalancer(s.scope.Scope("loadbalancer"), c.balancer, c.opts.Balancer.Policy)
	if c.opts.FailFast {
		ff := s.scope.Scope("failfast")
		ff.Group(failFastGauges, func(field int) float64 { return c.failingFast()[field] })
		ff.Group(failFastCounts, func(field int) float64 {
			return float64([...]int64{s.failFast.MarkedAvailable.Load(), s.failFast.MarkedDead.Load()}[field])
		})
	}
}

// failingFast reads failFastGauges: how many endpoints are marked dead, for how long the one
// has been that is so for longest, and how many probes have failed since, of all.
func (c *Client) failingFast() (v [3]float64) {
	for _, e := range c.balancer.Endpoints() {
		state, ok := e.Attachment.(*endpointState)
		if !ok || state.failFast == nil || state.failFast.Err() == nil {
			continue
		}
		since, tries := state.failFast.Unhealthy()
		v[0]++
		v[1] = max(v[1], float64(since.Milliseconds()))
		v[2] += float64(tries)
	}
	return v
}

// pairWith returns the metrics of the logical name path at this client, until
// unpair.
func (s *clientStats) pairWith(path dtab.Path) *pairStats {
	return s.pairs.take(path, func() *pairStats {
		scope := s.scope.Scope("service", trimSlash(path))
		p := &pairStats{scope: scope}
		p.init(scope)
		scope.Group(requestCounters, p.requested)
		scope.Group(pairGauge, func(int) float64 { return float64(p.pending.Value()) })
		return p
	})
}

// unpair drops the metrics of a logical name when no route leads here any more.
func (s *clientStats) unpair(path dtab.Path) {
	s.pairs.give(path, func(p *pairStats) { p.scope.Prune() })
}
