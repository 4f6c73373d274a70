package meshh2

import (
	"time"

	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport/http2"
)

// clientStats are the metrics of a client's connections and streams; its endpoints
// share the handles.
type clientStats struct {
	connects, closes  *telemetry.Counter
	open              *telemetry.UpDown
	latency, failures *telemetry.Stat
	duration          *telemetry.Stat
	received, sent    *telemetry.Counter
	streams           streamStats
}

var _ http2.ClientObserver = (*clientStats)(nil)

func newClientStats(s *telemetry.Scope) *clientStats {
	return &clientStats{
		connects: s.Counter("connects"),
		closes:   s.Counter("closes"),
		open:     s.UpDown("connections"),
		latency:  s.Stat("connect_latency_ms"),
		failures: s.Stat("failed_connect_latency_ms"),
		duration: s.Stat("connection_duration"),
		received: s.Counter("received_bytes"),
		sent:     s.Counter("sent_bytes"),
		streams:  newClientStreamStats(s),
	}
}

// Connected implements http2.ClientObserver.
func (s *clientStats) Connected(_ *http2.Conn, took time.Duration) {
	s.connects.Inc()
	s.open.Inc()
	s.latency.RecordMillis(took)
}

// DialFailed implements http2.ClientObserver.
func (s *clientStats) DialFailed(_ *http2.DialError, took time.Duration) {
	s.failures.RecordMillis(took)
}

// Disconnected implements http2.ClientObserver.
func (s *clientStats) Disconnected(c *http2.Conn, _ error) {
	s.closes.Inc()
	s.open.Dec()
	s.duration.RecordMillis(c.Age())
}
