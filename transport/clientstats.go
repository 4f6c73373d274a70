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
	pending  *telemetry.UpDown
	accrual  circuit.Stats
	failFast circuit.FailFastStats

	requeues, exhausted, limit, notOpen, cannotRetry *telemetry.Counter
	perRequest                                       *telemetry.Stat

	pairs registry[dtab.Path, *pairStats]
}

// pairStats are the metrics of one logical name at one client. They live as long
// as a route leads from the one to the other.
type pairStats struct {
	requestStats
	scope   *telemetry.Scope
	pending *telemetry.UpDown
}

func newClientStats(s *telemetry.Scope) *clientStats {
	r := s.Scope("retries")
	return &clientStats{
		requestStats: newRequestStats(s),
		scope:        s,
		pending:      s.UpDown("pending"),
		requeues:     r.Counter("requeues"),
		perRequest:   r.Stat("requeues_per_request"),
		exhausted:    r.Counter("budget_exhausted"),
		limit:        r.Counter("request_limit"),
		notOpen:      r.Counter("not_open"),
		cannotRetry:  r.Counter("cannot_retry"),
	}
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

// export publishes as gauges what the client's parts count themselves.
func (s *clientStats) export(c *Client) {
	s.scope.Scope("retries").Gauge("budget", func() float64 { return float64(c.requeues.Balance()) })
	s.scope.Gauge("available", func() float64 {
		if c.Status() == weft.Open {
			return 1
		}
		return 0
	})
	exportBalancer(s.scope.Scope("loadbalancer"), c.balancer)
	fa := s.scope.Scope("failure_accrual")
	fa.CounterFunc("removals", s.accrual.Removals.Load)
	fa.CounterFunc("revivals", s.accrual.Revivals.Load)
	fa.CounterFunc("probes", s.accrual.Probes.Load)
	fa.CounterFunc("removed_for_ms", s.accrual.RemovedForMs.Load)
	if c.opts.FailFast {
		ff := s.scope.Scope("failfast")
		ff.CounterFunc("marked_dead", s.failFast.MarkedDead.Load)
		ff.CounterFunc("marked_available", s.failFast.MarkedAvailable.Load)
	}
}

// pairWith returns the metrics of the logical name path at this client, until
// unpair.
func (s *clientStats) pairWith(path dtab.Path) *pairStats {
	return s.pairs.take(path, func() *pairStats {
		scope := s.scope.Scope("service", trimSlash(path))
		return &pairStats{requestStats: newRequestStats(scope), scope: scope, pending: scope.UpDown("pending")}
	})
}

// unpair drops the metrics of a logical name when no route leads here any more.
func (s *clientStats) unpair(path dtab.Path) {
	s.pairs.give(path, func(p *pairStats) { p.scope.Prune() })
}
