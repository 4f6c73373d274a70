package meshh2

import (
	"strconv"
	"sync"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/telemetry"
)

// serverStats are the metrics of a listener.
type serverStats struct {
	requests, success *telemetry.Counter
	failures          *telemetry.Failures
	latency           *telemetry.Stat
	pending, load     *telemetry.UpDown
	status, time      *telemetry.Scope
	streams           streamStats

	classes [6]struct { // by first digit of the status; 0 is for resets
		count *telemetry.Counter
		time  *telemetry.Stat
	}
	codes sync.Map // status → *telemetry.Counter; there are at most 900
}

func newServerStats(s *telemetry.Scope) *serverStats {
	t := &serverStats{
		requests: s.Counter("requests"),
		success:  s.Counter("success"),
		failures: telemetry.NewFailures(s, telemetry.FailuresOptions{}),
		latency:  s.Stat("request_latency_ms"),
		pending:  s.UpDown("pending"),
		load:     s.UpDown("load"), // the name that Linkerd's dashboard reads
		status:   s.Scope("status"),
		time:     s.Scope("time"),
		streams:  newServerStreamStats(s),
	}
	for i := range t.classes {
		name := strconv.Itoa(i) + "XX"
		if i == 0 {
			name = "error"
		}
		t.classes[i].count = t.status.Counter(name)
		t.classes[i].time = t.time.Stat(name)
	}
	return t
}

func (s *serverStats) begin() {
	s.pending.Inc()
	s.load.Inc()
}

// end records an exchange. It is a success if the mesh says so in l5d-success-class;
// what has none is a failure.
func (s *serverStats) end(x *exchange, err error) {
	s.pending.Dec()
	s.load.Dec()
	s.requests.Inc()
	s.latency.RecordMillis(x.latency)
	class := 0
	if len(x.status) == 3 && x.status[0] >= '1' && x.status[0] <= '5' {
		class = int(x.status[0] - '0')
		s.code(x.status).Inc()
	}
	s.classes[class].count.Inc()
	s.classes[class].time.RecordMillis(x.latency)
	switch x.success {
	case weft.Success:
		s.success.Inc()
	case weft.Failure, weft.Retryable:
		s.failures.RecordError(err)
	case weft.Ignored:
	}
}

func (s *serverStats) code(status string) *telemetry.Counter {
	if c, ok := s.codes.Load(status); ok {
		return c.(*telemetry.Counter) //nolint:forcetypeassert // only counters are stored
	}
	c, _ := s.codes.LoadOrStore(status, s.status.Counter(status))
	return c.(*telemetry.Counter) //nolint:forcetypeassert // only counters are stored
}
