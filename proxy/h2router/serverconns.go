package h2router

import (
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport/http2"
)

// serverConns counts the connections of a listener and their bytes.
type serverConns struct {
	connects, closes *telemetry.Counter
	received, sent   *telemetry.Counter
	open             *telemetry.UpDown
	duration         *telemetry.Stat
}

var _ http2.ServerObserver = (*serverConns)(nil)

func newServerConns(s *telemetry.Scope) *serverConns {
	return &serverConns{
		connects: s.Counter("connects"), closes: s.Counter("closes"),
		received: s.Counter("received_bytes"), sent: s.Counter("sent_bytes"),
		open: s.UpDown("connections"), duration: s.Stat("connection_duration"),
	}
}

// count returns options whose connections have their bytes counted.
func (c *serverConns) count(o http2.Options) http2.Options {
	o.Received, o.Sent = c.received.Add, c.sent.Add
	return o
}

// Opened implements http2.ServerObserver.
func (c *serverConns) Opened(*http2.Conn) {
	c.connects.Inc()
	c.open.Inc()
}

// Closed implements http2.ServerObserver.
func (c *serverConns) Closed(conn *http2.Conn, _ error) {
	c.closes.Inc()
	c.open.Dec()
	c.duration.RecordMillis(conn.Age())
}
