package origin

import (
	"net"
	"net/http"
	"sync/atomic"
)

// Conns counts connections. It is safe for concurrent use.
type Conns struct{ opened, closed atomic.Int64 }

// Opened returns how many there have been.
func (c *Conns) Opened() int { return int(c.opened.Load()) }

// Open returns how many there are.
func (c *Conns) Open() int { return int(c.opened.Load() - c.closed.Load()) }

func (c *Conns) state(_ net.Conn, s http.ConnState) {
	switch s {
	case http.StateNew:
		c.opened.Add(1)
	case http.StateClosed, http.StateHijacked:
		c.closed.Add(1)
	default: // the same connection goes on
	}
}
