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

	retries, exhausted           telemetry.Counter
	backoffsExhausted, outOfTime telemetry.Counter
	perRequest                   *telemetry.Stat
}

// Load is the name that dashboards older than pending read.
var (
	serviceFields = table(gauges("load", "pending"), requestCounters)                          //nolint:gochecknoglobals // a table
	retryCounters = counters("backoffs_exhausted", "budget_exhausted", "out_of_time", "total") //nolint:gochecknoglobals // a table
	budgetGauge   = gauges("budget")                                                           //nolint:gochecknoglobals // a table
)

// newServiceStats makes the metrics of a name. Pending says how many requests are under
// way, and budget what is left of the retry budget; nil: there is none.
func newServiceStats(scope *telemetry.Scope, pending func() float64, budget retry.Budget) *serviceStats {
	r := scope.Scope("retries")
	t := &serviceStats{scope: scope, perRequest: r.Stat("per_request")}
	t.init(scope)
	scope.Group(serviceFields, func(values []float64) {
		n := pending()
		values[0], values[1] = n, n
		t.requested(values[2:])
	})
	r.Group(retryCounters, func(values []float64) {
		for i, c := range [...]*telemetry.Counter{&t.backoffsExhausted, &t.exhausted, &t.outOfTime, &t.retries} {
			values[i] = float64(c.Value())
		}
	})
	if budget != nil {
		r.Group(budgetGauge, func(values []float64) { values[0] = float64(budget.Balance()) })
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
