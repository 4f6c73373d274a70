package h2router

import (
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/policy"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http2"
	"github.com/weft-mesh/weft/transport/meshh2"
)

// What the options of a router become, for tests.

func ServiceOf(c *config.Router, path dtab.Path) (transport.ServiceOptions, meshh2.ServiceSettings) {
	b := &builder{Router: policy.Router{Env: plugin.RouterEnv{Config: c}}, c: c}
	return b.Service(path), b.h2Service(path)
}

func ClientOf(c *config.Router, id dtab.Path) (transport.ClientOptions, meshh2.ClientSettings) {
	b := &builder{Router: policy.Router{Env: plugin.RouterEnv{Config: c}}, c: c}
	b.accessLog()
	return b.Client(id), b.h2Client(id)
}

// ConnOf returns how the connections of the first server are kept.
func ConnOf(c *config.Router) http2.Options {
	s := c.Servers[0]
	return conn(s.H2Settings, s.ServerSession, &s.SocketOptions)
}
