package h2router

import (
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http2"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// serverConns counts the connections of a listener and their bytes.
type serverConns struct{ stats *transport.ConnStats }

var _ http2.ServerObserver = serverConns{}

func newServerConns(s *telemetry.Scope) serverConns {
	return serverConns{transport.NewConnStats(s)}
}

// count returns options whose connections have their bytes counted.
func (c serverConns) count(o http2.Options) http2.Options {
	o.Received, o.Sent = c.stats.Received, c.stats.Sent
	return o
}

// Opened implements http2.ServerObserver.
func (c serverConns) Opened(conn *http2.Conn) { c.stats.Opened(conn.Secure()) }

// Closed implements http2.ServerObserver.
func (c serverConns) Closed(conn *http2.Conn, err error) {
	c.stats.Closed(meshhttp.H2ConnEnd(conn, err))
}
