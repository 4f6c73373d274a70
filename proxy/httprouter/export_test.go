package httprouter

import (
	"net/http"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/policy"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http1"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// What the options of a router become, for tests.

func ServiceOf(c *config.Router, path dtab.Path) (transport.ServiceOptions, meshhttp.ServiceSettings) {
	b := &builder{Router: policy.Router{Env: plugin.RouterEnv{Config: c}}, c: c}
	return b.Service(path), b.httpService(path)
}

func ClientOf(c *config.Router, id dtab.Path) (transport.ClientOptions, meshhttp.ClientSettings) {
	b := &builder{Router: policy.Router{Env: plugin.RouterEnv{Config: c}}, c: c}
	b.accessLog()
	return b.Client(id), b.httpClient(id)
}

func BufferBytes(c *config.Router) int64 {
	return (&builder{Router: policy.Router{Env: plugin.RouterEnv{Config: c}}, c: c}).bufferBytes()
}

// HTTP1 returns the HTTP/1.1 side of the first server, with a handler of the test's.
func HTTP1(c *config.Router, h http.Handler, scope *telemetry.Scope) *http1.Server {
	return (&builder{Router: policy.Router{Env: plugin.RouterEnv{Config: c}}, c: c}).http1(c.Servers[0], h, newServerConns(scope), nil)
}

func CacheOf(c *config.Router) transport.CacheOptions { return policy.Cache(c.BindingCache) }

var Compression = compression
