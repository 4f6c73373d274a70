package h2router

import (
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http2"
	"github.com/weft-mesh/weft/transport/meshh2"
)

// What the options of a router become, for tests.

func ServiceOf(c *config.Router, path dtab.Path) (transport.ServiceOptions, meshh2.ServiceSettings) {
	b := &builder{c: c}
	return b.service(path), b.h2Service(path)
}

func ClientOf(c *config.Router, id dtab.Path) (transport.ClientOptions, meshh2.ClientSettings) {
	b := &builder{c: c}
	b.accessLog()
	return b.client(id), b.h2Client(id)
}

// ConnOf returns how the connections of the first server are kept.
func ConnOf(c *config.Router) http2.Options {
	s := c.Servers[0]
	return conn(s.H2Settings, s.ServerSession, &s.SocketOptions)
}
