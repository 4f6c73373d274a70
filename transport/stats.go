package transport

import (
	"slices"
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
func (s *requestStats) requested(values []float64) {
	values[0], values[1] = float64(s.requests.Value()), float64(s.success.Value())
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

// table is the fields of several tables, by name.
func table(parts ...[]telemetry.Field) []telemetry.Field {
	all := slices.Concat(parts...)
	slices.SortFunc(all, func(a, b telemetry.Field) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// trimSlash returns the name as metrics spell it, without the leading slash.
func trimSlash(p dtab.Path) string { return strings.TrimPrefix(p.String(), "/") }
