package meshhttp

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

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
	received, sent    *telemetry.Stat
	pending, load     *telemetry.UpDown
	statuses          *transport.StatusStats

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
		received: s.Stat("request_payload_bytes"),
		sent:     s.Stat("response_payload_bytes"),
		pending:  s.UpDown("pending"),
		load:     s.UpDown("load"), // the name that Linkerd's dashboard reads
		statuses: transport.NewStatusStats(s),
	}
}

func (s *serverStats) begin() {
	s.pending.Inc()
	s.load.Inc()
}

// end records a request whose response was written with the outcome err: it is a success if
// the mesh says so in l5d-success-class, otherwise unless it is a 5xx. What the mesh
// answers with an error of its own counts as that.
func (s *serverStats) end(x *serving, resp *http.Response, body int64, err error, took time.Duration) {
	s.pending.Dec()
	s.load.Dec()
	s.requests.Inc()
	s.latency.RecordMillis(took)
	status := resp.StatusCode
	if errors.Is(x.err, context.Canceled) {
		status = 0 // nobody is there to get it
	}
	s.statuses.End(status, took)
	if h := x.x.handling; h > 0 {
		s.handling.Record(h.Microseconds())
	}
	if n := x.r.ContentLength; n >= 0 {
		s.received.Record(n)
	}
	s.sent.Record(body)
	if d := x.x.dest; d != nil && len(d.Local()) > 0 {
		s.dtab.In(s.scope, "dtab", "size").Record(int64(len(d.Local())))
	}
	if at := x.x.in.deadline.Timestamp; !at.IsZero() {
		s.transit.In(s.scope, "transit_latency_ms").RecordMillis(x.begun.Sub(at))
	}
	switch {
	case x.err != nil:
		s.failed(x.err)
	case err != nil:
		s.failures.RecordError(&weft.Error{Stage: weft.StageReceive, Err: err})
	case x.refused:
		s.failures.Record(telemetry.FailureRejected, telemetry.FailureUnknown)
	case successful(resp):
		s.success.Inc()
	default:
		s.failures.RecordError(nil)
	}
}

// failed counts a failure, and where it came from if that is a client.
func (s *serverStats) failed(err error) {
	s.failures.RecordError(err)
	e, ok := errors.AsType[*weft.Error](err)
	if !ok || e.Dst.IsEmpty() || errors.Is(err, context.Canceled) {
		return
	}
	switch e.Stage {
	case weft.StageConnect, weft.StageSend, weft.StageReceive:
		source := strings.TrimPrefix(e.Dst.String(), "/")
		names := append([]string{source}, telemetry.FailureNames(err)...)
		s.sourced.In(s.scope, telemetry.FailuresOptions{Name: "sourcedfailures"}).Record(names...)
	default: // it names what the caller asked for
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
