package httprouter

import (
	"crypto/tls"
	"net"
	"sync"

	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http1"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// serverConns counts the connections of a listener and their bytes. Tunnels, which
// the engine lets go of, stay counted until they are closed.
type serverConns struct {
	*transport.ConnStats
	idle, lifetime *telemetry.Counter

	mu      sync.Mutex
	tunnels map[*tunnel]struct{}
}

func newServerConns(s *telemetry.Scope) *serverConns {
	return &serverConns{
		ConnStats: transport.NewConnStats(s),
		idle:      s.Counter("idle"), lifetime: s.Counter("lifetime"),
		tunnels: map[*tunnel]struct{}{},
	}
}

func (c *serverConns) observer() http1.ServerObserver {
	return http1.ServerObserver{
		Opened: func(conn net.Conn) {
			_, secure := conn.(*tls.Conn)
			c.Opened(secure)
		},
		Closed: func(r http1.ConnReport) {
			switch r.Reason {
			case http1.ClosedIdle:
				c.idle.Inc()
			case http1.ClosedByLife:
				c.lifetime.Inc()
			case http1.ClosedOther:
			}
			c.Closed(meshhttp.ConnEnd(r))
		},
		Received: c.Received,
		Sent:     c.Sent,
	}
}
