package meshh2

import (
	"errors"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http2"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// clientStats are the metrics of a client's connections and streams; its endpoints
// share the handles.
type clientStats struct {
	conns      *transport.ConnStats
	scope      *telemetry.Scope
	streams    streamStats
	statuses   *transport.StatusStats
	acquired   *telemetry.Stat
	unacquired telemetry.LateFailures
}

var _ http2.ClientObserver = (*clientStats)(nil)

func newClientStats(s *telemetry.Scope) *clientStats {
	return &clientStats{
		conns: transport.NewConnStats(s), scope: s, streams: newClientStreamStats(s), statuses: transport.NewStatusStats(s),
		acquired: s.Stat("service_creation", "service_acquisition_latency_ms"),
	}
}

// Connected implements http2.ClientObserver.
func (s *clientStats) Connected(conn *http2.Conn, took time.Duration) {
	s.conns.Connected(took, conn.Secure())
}

// DialFailed implements http2.ClientObserver.
func (s *clientStats) DialFailed(err *http2.DialError, took time.Duration) {
	s.conns.ConnectFailed(err, took)
}

// Disconnected implements http2.ClientObserver.
func (s *clientStats) Disconnected(c *http2.Conn, err error) {
	s.conns.Closed(meshhttp.H2ConnEnd(c, err))
}

// end records how an attempt at an endpoint went: the status of its response, "" for none,
// and how long the head took.
func (s *clientStats) end(status string, took time.Duration, err error) {
	s.statuses.End(statusOf(status), took)
	e, ok := errors.AsType[*weft.Error](err)
	if status == "" && ok && e.Stage == weft.StageConnect {
		s.unacquired.In(s.scope.Scope("service_creation"), telemetry.FailuresOptions{}).RecordError(err)
	}
}
