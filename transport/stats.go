package transport

import (
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/telemetry"
)

// requestStats are the metrics that services, clients and pairs of the two have
// in common. Handles are made once, with the thing they measure.
type requestStats struct {
	requests, success *telemetry.Counter
	failures          *telemetry.Failures
	latency           *telemetry.Stat
}

func newRequestStats(s *telemetry.Scope) requestStats {
	return requestStats{
		requests: s.Counter("requests"),
		success:  s.Counter("success"),
		failures: telemetry.NewFailures(s, telemetry.FailuresOptions{}),
		latency:  s.Stat("request_latency_ms"),
	}
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

// trimSlash returns the name as metrics spell it, without the leading slash.
func trimSlash(p dtab.Path) string { return strings.TrimPrefix(p.String(), "/") }
