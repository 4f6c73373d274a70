package transport

import (
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/telemetry"
)

// serviceStats are the metrics of a logical name: one request counts once,
// however many attempts it took.
type serviceStats struct {
	requestStats
	scope *telemetry.Scope

	retries, exhausted           *telemetry.Counter
	backoffsExhausted, outOfTime *telemetry.Counter
	perRequest                   *telemetry.Stat
}

// newServiceStats makes the metrics of a name; s is nil for those of all unbound
// names.
func newServiceStats(scope *telemetry.Scope, s *service) *serviceStats {
	r := scope.Scope("retries")
	t := &serviceStats{
		requestStats:      newRequestStats(scope),
		scope:             scope,
		retries:           r.Counter("total"),
		perRequest:        r.Stat("per_request"),
		exhausted:         r.Counter("budget_exhausted"),
		backoffsExhausted: r.Counter("backoffs_exhausted"),
		outOfTime:         r.Counter("out_of_time"),
	}
	if s != nil {
		r.Gauge("budget", func() float64 { return float64(s.policy.Budget.Balance()) })
		scope.Gauge("pending", func() float64 { return float64(s.pending()) })
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
		s.outOfTime.Inc()
	default:
	}
}
