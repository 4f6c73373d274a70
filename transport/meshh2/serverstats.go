package meshh2

import (
	"errors"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
)

// serverStats are the metrics of a listener.
type serverStats struct {
	scope             *telemetry.Scope
	requests, success *telemetry.Counter
	failures          *telemetry.Failures
	latency, handling *telemetry.Stat
	pending, load     *telemetry.UpDown
	statuses          *transport.StatusStats
	streams           streamStats

	sourced       telemetry.LateFailures
	dtab, transit telemetry.LateStat
}

func newServerStats(s *telemetry.Scope) *serverStats {
	return &serverStats{
		scope:    s,
		requests: s.Counter("requests"),
		success:  s.Counter("success"),
		failures: telemetry.NewFailures(s, telemetry.FailuresOptions{}),
		latency:  s.Stat("request_latency_ms"),
		handling: s.Stat("handletime_us"),
		pending:  s.UpDown("pending"),
		load:     s.UpDown("load"), // the name that Linkerd's dashboard reads
		statuses: transport.NewStatusStats(s),
		streams:  newServerStreamStats(s),
	}
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
	s.statuses.End(statusOf(x.status), x.latency)
	s.handling.Record(x.handling.Microseconds())
	if n := len(x.req.Local); n > 0 {
		s.dtab.In(s.scope, "dtab", "size").Record(int64(n))
	}
	if at := x.req.Deadline.Timestamp; !at.IsZero() {
		s.transit.In(s.scope, "transit_latency_ms").RecordMillis(x.begun.Sub(at))
	}
	switch x.success {
	case weft.Success:
		s.success.Inc()
	case weft.Failure, weft.Retryable:
		s.failed(err)
	case weft.Ignored:
	}
}

// failed counts a failure, and where it came from if that is a client.
func (s *serverStats) failed(err error) {
	if errors.Is(err, ErrOverloaded) {
		s.failures.Record(telemetry.FailureRejected, telemetry.FailureUnknown)
		return
	}
	s.failures.RecordError(err)
	e, ok := errors.AsType[*weft.Error](err)
	if !ok || e.Dst.IsEmpty() {
		return
	}
	switch e.Stage {
	case weft.StageConnect, weft.StageSend, weft.StageReceive:
		names := append([]string{strings.TrimPrefix(e.Dst.String(), "/")}, telemetry.FailureNames(err)...)
		s.sourced.In(s.scope, telemetry.FailuresOptions{Name: "sourcedfailures"}).Record(names...)
	default: // it names what the caller asked for
	}
}

// statusOf returns a status as a number, 0 for what is none.
func statusOf(s string) int {
	if len(s) != 3 || s[0] < '1' || s[0] > '9' || s[1] < '0' || s[1] > '9' || s[2] < '0' || s[2] > '9' {
		return 0
	}
	return int(s[0]-'0')*100 + int(s[1]-'0')*10 + int(s[2]-'0')
}
