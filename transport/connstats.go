package transport

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft/telemetry"
)

// ConnStats are the metrics of the connections of one listener or of one client, whose
// endpoints share them. They are safe for concurrent use. Those of a nil scope record
// nothing.
//
// What a connection cannot tell before its end, and what happens to few, has no metric
// before it happens.
type ConnStats struct {
	scope *telemetry.Scope

	connects, closes atomic.Int64
	open, secure     atomic.Int64
	received, sent   atomic.Int64

	latency, failedLatency   telemetry.LateStat
	handshake                telemetry.LateStat
	duration, in, out        telemetry.LateStat
	requests                 telemetry.LateStat
	cancelled                telemetry.LateCounter
	readTimeout              telemetry.LateCounter
	writeTimeout             telemetry.LateCounter
	readTimedOut, broken     telemetry.LateCounter
	writeTimedOut, unsecured telemetry.LateCounter
	tls                      atomic.Bool // the gauge was made
}

// ConnEnd is what a connection came to.
type ConnEnd struct {
	Lived          time.Duration
	Received, Sent int64 // bytes
	Requests       int64 // that it was used for; negative: nobody counted them
	TLS            bool
	// ReadErr and WriteErr are what broke it, nil if nothing did.
	ReadErr, WriteErr error
	// Handshake says that ReadErr is that of a TLS handshake.
	Handshake bool
}

// The names of exceptions of connections, as dashboards know them.
const (
	exnReadTimeout  = "com.twitter.finagle.ReadTimedOutException"
	exnWriteTimeout = "com.twitter.finagle.WriteTimedOutException"
	exnTLS          = "javax.net.ssl.SSLException"
	exnIO           = "java.io.IOException"
)

var connFields = []telemetry.Field{ //nolint:gochecknoglobals // a table
	{Name: "closes", Kind: telemetry.KindCounter},
	{Name: "connections", Kind: telemetry.KindGauge},
	{Name: "connects", Kind: telemetry.KindCounter},
	{Name: "received_bytes", Kind: telemetry.KindCounter},
	{Name: "sent_bytes", Kind: telemetry.KindCounter},
}

// NewConnStats returns the metrics of connections in s.
func NewConnStats(s *telemetry.Scope) *ConnStats {
	c := &ConnStats{scope: s}
	s.Group(connFields, c.read)
	return c
}

func (c *ConnStats) read(values []float64) {
	for i, n := range [...]*atomic.Int64{&c.closes, &c.open, &c.connects, &c.received, &c.sent} {
		values[i] = float64(n.Load())
	}
}

// Received and Sent count bytes.
func (c *ConnStats) Received(n int64) { c.received.Add(n) }

// Sent counts bytes.
func (c *ConnStats) Sent(n int64) { c.sent.Add(n) }

// Opened counts a connection that was accepted.
func (c *ConnStats) Opened(tls bool) {
	c.connects.Add(1)
	c.open.Add(1)
	if tls {
		c.secured(1)
	}
}

// Connected counts a connection that was made in the time it took.
func (c *ConnStats) Connected(took time.Duration, tls bool) {
	c.Opened(tls)
	c.latency.In(c.scope, "connect_latency_ms").RecordMillis(took)
}

// Shook records the time that a TLS handshake took.
func (c *ConnStats) Shook(took time.Duration) {
	c.handshake.In(c.scope, "tls", "handshake_latency_ms").RecordMillis(took)
}

// ConnectFailed counts a connection that was not made. One that was given up because
// nobody wanted it any more is cancelled.
func (c *ConnStats) ConnectFailed(err error, took time.Duration) {
	if errors.Is(err, context.Canceled) {
		c.cancelled.In(c.scope, "cancelled_connects").Inc()
		return
	}
	c.failedLatency.In(c.scope, "failed_connect_latency_ms").RecordMillis(took)
}

// Closed counts the end of a connection.
func (c *ConnStats) Closed(e ConnEnd) {
	c.closes.Add(1)
	c.open.Add(-1)
	if e.TLS {
		c.secured(-1)
	}
	c.duration.In(c.scope, "connection_duration").RecordMillis(e.Lived)
	c.in.In(c.scope, "connection_received_bytes").Record(e.Received)
	c.out.In(c.scope, "connection_sent_bytes").Record(e.Sent)
	if e.Requests >= 0 {
		c.requests.In(c.scope, "connection_requests").Record(e.Requests)
	}
	switch {
	case e.ReadErr == nil:
	case e.Handshake:
		c.unsecured.In(c.scope, "exn", exnTLS).Inc()
	case errors.Is(e.ReadErr, os.ErrDeadlineExceeded):
		c.readTimeout.In(c.scope, "read_timeout").Inc()
		c.readTimedOut.In(c.scope, "exn", exnReadTimeout).Inc()
	default:
		c.broken.In(c.scope, "exn", exnIO).Inc()
	}
	switch {
	case e.WriteErr == nil:
	case errors.Is(e.WriteErr, os.ErrDeadlineExceeded):
		c.writeTimeout.In(c.scope, "write_timeout").Inc()
		c.writeTimedOut.In(c.scope, "exn", exnWriteTimeout).Inc()
	case e.ReadErr == nil: // otherwise it is the same once more
		c.broken.In(c.scope, "exn", exnIO).Inc()
	}
}

// Reopened counts a connection as open that was reported as closed and goes on as something
// else, until Left.
func (c *ConnStats) Reopened() { c.open.Add(1) }

// Left ends what Reopened began.
func (c *ConnStats) Left(lived time.Duration) {
	c.open.Add(-1)
	c.duration.In(c.scope, "connection_duration").RecordMillis(lived)
}

// secured counts a TLS connection.
func (c *ConnStats) secured(n int64) {
	c.secure.Add(n)
	if !c.tls.Load() && !c.tls.Swap(true) {
		c.scope.Scope("tls").Gauge("connections", func() float64 { return float64(c.secure.Load()) })
	}
}
