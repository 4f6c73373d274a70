package meshhttp

import (
	"net/http"
	"strconv"
	"sync"
	"time"

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

	classes [6]struct { // by first digit of the status; 0 is for errors
		count *telemetry.Counter
		time  *telemetry.Stat
	}
	codes sync.Map // int → *telemetry.Counter; statuses are at most 900
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

// end records a response: it is a success if the mesh says so in
// l5d-success-class, otherwise unless it is a 5xx.
func (s *serverStats) end(resp *http.Response, err error, took time.Duration) {
	s.pending.Dec()
	s.load.Dec()
	s.requests.Inc()
	s.latency.RecordMillis(took)
	class := resp.StatusCode / 100
	if class < 1 || class > 5 {
		class = 0
	}
	s.classes[class].count.Inc()
	s.classes[class].time.RecordMillis(took)
	s.code(resp.StatusCode).Inc()
	switch {
	case err != nil:
		s.failures.RecordError(&weft.Error{Stage: weft.StageReceive, Err: err})
	case successful(resp):
		s.success.Inc()
	default:
		s.failures.RecordError(nil)
	}
}

func successful(resp *http.Response) bool {
	if v := resp.Header[headerSuccess]; len(v) > 0 && v[0] != "" {
		if v[0] == "1.0" {
			return true
		}
		f, err := strconv.ParseFloat(v[0], 64)
		return err == nil && f > 0
	}
	return resp.StatusCode < 500
}

func (s *serverStats) code(code int) *telemetry.Counter {
	if c, ok := s.codes.Load(code); ok {
		return c.(*telemetry.Counter) //nolint:forcetypeassert // only counters are stored
	}
	if code < 100 || code > 999 {
		code = 0
	}
	c, _ := s.codes.LoadOrStore(code, s.status.Counter(strconv.Itoa(code)))
	return c.(*telemetry.Counter) //nolint:forcetypeassert // only counters are stored
}
