package httprouter

import (
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/transport"
)

// What the options of a router become, for tests.

func ServiceOf(c *config.Router, path dtab.Path) transport.ServiceOptions {
	return (&builder{c: c}).service(path)
}

func ClientOf(c *config.Router, id dtab.Path) transport.ClientOptions {
	b := &builder{c: c}
	b.accessLog()
	return b.client(id)
}

func BufferBytes(c *config.Router) int64 { return (&builder{c: c}).bufferBytes() }

func CacheOf(c *config.Router) transport.CacheOptions { return cacheOptions(c.BindingCache) }

var Compression = compression
