package httprouter

import (
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// defaultHeadBytes is the default of maxHeadersKB.
const defaultHeadBytes = 8 << 10

// pool returns how the connections to an endpoint are kept. minSize has no
// counterpart: no connection is made before it is needed.
func pool(p config.ClientPolicy) meshhttp.PoolOptions {
	var o meshhttp.PoolOptions
	if h := p.HostConnectionPool; h != nil {
		if h.MaxSize != nil {
			o.MaxSize = *h.MaxSize
		}
		if h.MaxWaiters != nil {
			if o.MaxWaiters = *h.MaxWaiters; o.MaxWaiters == 0 {
				o.MaxWaiters = -1
			}
		}
		if h.IdleTime != nil {
			o.IdleTimeout = *h.IdleTime
		}
	}
	if s := p.ClientSession; s != nil {
		if s.IdleTime != nil && (o.IdleTimeout == 0 || *s.IdleTime < o.IdleTimeout) {
			o.IdleTimeout = *s.IdleTime
		}
		if s.LifeTime != nil {
			o.LifeTime = *s.LifeTime
		}
	}
	return o
}
