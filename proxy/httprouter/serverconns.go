package httprouter

import (
	"net"
	"sync"
	"time"

	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport/http1"
)

// serverConns counts the connections of a listener and their bytes. Tunnels, which
// the engine lets go of, stay counted until they are closed.
type serverConns struct {
	connects, closes, idle, lifetime *telemetry.Counter
	received, sent                   *telemetry.Counter
	open                             *telemetry.UpDown
	duration                         *telemetry.Stat

	mu      sync.Mutex
	tunnels map[*tunnel]struct{}
}

func newServerConns(s *telemetry.Scope) *serverConns {
	return &serverConns{
		connects: s.Counter("connects"), closes: s.Counter("closes"),
		idle: s.Counter("idle"), lifetime: s.Counter("lifetime"),
		received: s.Counter("received_bytes"), sent: s.Counter("sent_bytes"),
		open: s.UpDown("connections"), duration: s.Stat("connection_duration"),
		tunnels: map[*tunnel]struct{}{},
	}
}

func (c *serverConns) observer() http1.ServerObserver {
	return http1.ServerObserver{
		Opened: func(net.Conn) {
			c.connects.Inc()
			c.open.Inc()
		},
		Closed: func(why http1.CloseReason, lived time.Duration) {
			switch why {
			case http1.ClosedIdle:
				c.idle.Inc()
			case http1.ClosedByLife:
				c.lifetime.Inc()
			case http1.ClosedOther:
			}
			c.closed(lived)
		},
		Received: c.received.Add,
		Sent:     c.sent.Add,
	}
}

func (c *serverConns) closed(lived time.Duration) {
	c.closes.Inc()
	c.open.Dec()
	c.duration.RecordMillis(lived)
}
