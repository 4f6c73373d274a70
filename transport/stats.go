package transport

import (
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/telemetry"
)

// requestStats are the metrics that services, clients and pairs of the two have
// in common. They are where they are counted, so that a scope costs little.
type requestStats struct {
	requests, success telemetry.Counter
	pending           telemetry.UpDown
	failures          *telemetry.Failures
	latency           *telemetry.Stat
}

var requestCounters = counters("requests", "success") //nolint:gochecknoglobals // a table

// requested reads requestCounters.
func (s *requestStats) requested(field int) float64 {
	return float64([...]*telemetry.Counter{&s.requests, &s.success}[field].Value())
}

func (s *requestStats) init(scope *telemetry.Scope) {
	s.failures = telemetry.NewFailures(scope, telemetry.FailuresOptions{})
	s.latency = scope.Stat("request_latency_ms")
}

func (s *requestStats) end(r weft.Result) {
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

// counters and gauges make the tables of groups.
func counters(names ...string) []telemetry.Field { return fields(telemetry.KindCounter, names) }

func gauges(names ...string) []telemetry.Field { return fields(telemetry.KindGauge, names) }

func fields(kind telemetry.Kind, names []string) []telemetry.Field {
	all := make([]telemetry.Field, len(names))
	for i, name := range names {
		all[i] = telemetry.Field{Name: name, Kind: kind}
	}
	return all
}

// trimSlash returns the name as metrics spell it, without the leading slash.
func trimSlash(p dtab.Path) string { return strings.TrimPrefix(p.String(), "/") }
