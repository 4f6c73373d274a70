package dns

import (
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/telemetry"
)

// srvStats count what looking up the targets of SRV records, with their addresses, came to.
// What has not happened has no metric.
type srvStats struct {
	scope                   *telemetry.Scope
	successes, failures, no telemetry.LateCounter
	took                    telemetry.LateStat
}

// end counts a lookup.
func (s *srvStats) end(st naming.State[weft.EndpointSet], took time.Duration) {
	s.took.In(s.scope, "request_duration_ms").RecordMillis(took)
	switch {
	case st.Err != nil:
		s.failures.In(s.scope, "lookup_failures_total").Inc()
	case st.Value.Neg:
		s.no.In(s.scope, "lookup_zero_results_total").Inc()
	default:
		s.successes.In(s.scope, "lookup_successes_total").Inc()
	}
}
