package transport

import (
	"strings"
	"sync"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/telemetry"
)

// requestStats are the metrics that services, clients and pairs of the two have
// in common. Handles are made once, with the thing they measure.
type requestStats struct {
	requests, success *telemetry.Counter
	failures          *telemetry.Failures
	latency           *telemetry.Stat
	pending           *telemetry.UpDown
}

func newRequestStats(s *telemetry.Scope) requestStats {
	return requestStats{
		requests: s.Counter("requests"),
		success:  s.Counter("success"),
		failures: telemetry.NewFailures(s, telemetry.FailuresOptions{}),
		latency:  s.Stat("request_latency_ms"),
		pending:  s.UpDown("pending"),
	}
}

func (s *requestStats) begin() { s.pending.Add(1) }

func (s *requestStats) end(r weft.Result) {
	s.pending.Add(-1)
	s.requests.Inc()
	switch r.Class {
	case weft.Success:
		s.success.Inc()
	case weft.Failure, weft.Retryable:
		s.failures.RecordError(r.Err)
	case weft.Ignored:
	}
	s.latency.RecordMillis(r.Latency)
}

// serviceStats are the metrics of a logical name: one request counts once,
// however many attempts it took.
type serviceStats struct {
	requestStats
	scope                  *telemetry.Scope
	retries, exhausted     *telemetry.Counter
	perRequest             *telemetry.Stat
	backoffsExhausted, out *telemetry.Counter
}

func newServiceStats(s *telemetry.Scope, d *Dest) *serviceStats {
	t := &serviceStats{requestStats: newRequestStats(s), scope: s}
	r := s.Scope("retries")
	t.retries = r.Counter("total")
	t.perRequest = r.Stat("per_request")
	t.exhausted = r.Counter("budget_exhausted")
	t.backoffsExhausted = r.Counter("backoffs_exhausted")
	t.out = r.Counter("out_of_time")
	if d != nil {
		r.Gauge("budget", func() float64 { return float64(d.budget.Balance()) })
	}
	return t
}

// observe counts what the retry loop reports of the service.
func (s *serviceStats) observe(e retry.Event, n int) {
	switch e {
	case retry.Retried:
		s.retries.Inc()
	case retry.RetriesPerRequest:
		s.perRequest.Record(int64(n))
	case retry.RetryBudgetExhausted:
		s.exhausted.Inc()
	case retry.BackoffExhausted:
		s.backoffsExhausted.Inc()
	case retry.OutOfTime:
		s.out.Inc()
	default:
	}
}

// clientStats are the metrics of a bound name: every attempt counts.
type clientStats struct {
	requestStats
	scope   *telemetry.Scope
	accrual circuit.Stats

	requeues, exhausted, limit, notOpen, cannotRetry *telemetry.Counter
	perRequest                                       *telemetry.Stat

	mu    sync.Mutex
	pairs map[dtab.Path]*pairStats
}

// pairStats are the metrics of one logical name at one client.
type pairStats struct{ requestStats }

func newClientStats(s *telemetry.Scope) *clientStats {
	t := &clientStats{requestStats: newRequestStats(s), scope: s, pairs: map[dtab.Path]*pairStats{}}
	r := s.Scope("retries")
	t.requeues = r.Counter("requeues")
	t.perRequest = r.Stat("requeues_per_request")
	t.exhausted = r.Counter("budget_exhausted")
	t.limit = r.Counter("request_limit")
	t.notOpen = r.Counter("not_open")
	t.cannotRetry = r.Counter("cannot_retry")
	return t
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
	lb := s.scope.Scope("loadbalancer")
	exportBalancer(lb, c.balancer)
	fa := s.scope.Scope("failure_accrual")
	fa.CounterFunc("removals", s.accrual.Removals.Load)
	fa.CounterFunc("revivals", s.accrual.Revivals.Load)
	fa.CounterFunc("probes", s.accrual.Probes.Load)
	fa.CounterFunc("removed_for_ms", s.accrual.RemovedForMs.Load)
}

// pairWith returns the metrics of the logical name path at this client.
func (s *clientStats) pairWith(path dtab.Path) *pairStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.pairs[path]
	if !ok {
		p = &pairStats{newRequestStats(s.scope.Scope("service", trimSlash(path)))}
		s.pairs[path] = p
	}
	return p
}

// forget drops the metrics of a logical name that is no longer routed here.
func (s *clientStats) forget(path dtab.Path) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.pairs[path]; ok {
		delete(s.pairs, path)
		s.scope.Scope("service", trimSlash(path)).Prune()
	}
}

// trimSlash returns the name as metrics spell it, without the leading slash.
func trimSlash(p dtab.Path) string { return strings.TrimPrefix(p.String(), "/") }
