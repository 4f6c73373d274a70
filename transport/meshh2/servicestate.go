package meshh2

import (
	"strings"
	"sync/atomic"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/telemetry"
)

// serviceState is what this package keeps per logical name.
type serviceState struct {
	ServiceSettings

	path    dtab.Path
	metrics *telemetry.Scope // of the router
	stats   atomic.Pointer[bufferStats]
}

// bufferStats count what kept an outcome from being retried, or a response from
// being classified in time.
type bufferStats struct {
	requestTooLong, responseTooLong, timeout *telemetry.Counter
}

func newServiceState(s ServiceSettings, path dtab.Path, metrics *telemetry.Scope) *serviceState {
	return &serviceState{ServiceSettings: s, path: path, metrics: metrics}
}

// counters returns the counters, which are made when first needed: callers can
// invent names at will, and most that are real never need them.
func (s *serviceState) counters() *bufferStats {
	if t := s.stats.Load(); t != nil {
		return t
	}
	at := s.metrics.Scope("service", strings.TrimPrefix(s.path.String(), "/"), "retries")
	t := &bufferStats{
		requestTooLong:  at.Counter("request_stream_too_long"),
		responseTooLong: at.Counter("response_stream_too_long"),
		timeout:         at.Counter("classification_timeout"),
	}
	s.stats.CompareAndSwap(nil, t)
	return s.stats.Load()
}
