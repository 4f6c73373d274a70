package rollout

import (
	"iter"
	"strings"
	"time"
)

// Queries are those of a Sample, in PromQL. Each must give one number, or none for
// zero. In them $series stands for what selects the series of a branch, such as
// client=~"#/io.l5d.fs/world-v2",rt="http", $window for the window, such as 90s, and
// $prefix for that of the names. Latencies are in milliseconds.
//
// The defaults take the counters' increase, and the latencies of the last windows that the
// proxies have closed since the begin of the window, as means weighted by requests.
type Queries struct {
	Requests, Successes  string
	Timed, P50, P95, P99 string
}

// The defaults. Where a counter is missing nothing was counted.
const (
	successesQuery = `(sum(increase($prefixrt:client:success{$series}[$window])) or vector(0))`
	requestsQuery  = successesQuery + ` + (sum(increase($prefixrt:client:failures{$series,exception=""}[$window])) or vector(0))`

	// Quantiles are of the last closed window. One that has the average of then is the
	// one of then. What was counted since weighs them.
	closedQuery   = `(increase($prefixrt:client:request_latency_ms_count{$series}[$window]) unless ($prefixrt:client:request_latency_ms_avg{$series} == $prefixrt:client:request_latency_ms_avg{$series} offset $window))`
	timedQuery    = `sum` + closedQuery
	quantileQuery = `sum($prefixrt:client:request_latency_ms{$series,quantile="Q"} * ignoring(quantile) group_left() ` + closedQuery + `) / sum` + closedQuery
)

func (q Queries) withDefaults() Queries {
	set := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	set(&q.Requests, requestsQuery)
	set(&q.Successes, successesQuery)
	set(&q.Timed, timedQuery)
	set(&q.P50, strings.ReplaceAll(quantileQuery, "Q", "0.5"))
	set(&q.P95, strings.ReplaceAll(quantileQuery, "Q", "0.95"))
	set(&q.P99, strings.ReplaceAll(quantileQuery, "Q", "0.99"))
	return q
}

// into yields the queries, each with what puts its answer into s.
func (q Queries) into(s *Sample) iter.Seq2[string, func(float64)] {
	number := func(f *float64) func(float64) { return func(v float64) { *f = v } }
	latency := func(d *time.Duration) func(float64) {
		return func(v float64) { *d = time.Duration(v * float64(time.Millisecond)) }
	}
	return func(yield func(string, func(float64)) bool) {
		_ = yield(q.Requests, number(&s.Requests)) && yield(q.Successes, number(&s.Successes)) && yield(q.Timed, number(&s.Timed)) &&
			yield(q.P50, latency(&s.P50)) && yield(q.P95, latency(&s.P95)) && yield(q.P99, latency(&s.P99))
	}
}
