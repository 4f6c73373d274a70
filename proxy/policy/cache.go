package policy

import (
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/transport"
)

// Cache returns the bounds of what a router remembers of names.
func Cache(c config.BindingCache) transport.CacheOptions {
	var o transport.CacheOptions
	set := func(to *int, from *int) {
		if from != nil {
			*to = *from
		}
	}
	set(&o.Paths, c.Paths)
	set(&o.Trees, c.Trees)
	set(&o.Bounds, c.Bounds)
	set(&o.Clients, c.Clients)
	if c.IdleTTL != nil {
		o.IdleTTL = *c.IdleTTL
	}
	return o
}
