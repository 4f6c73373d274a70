package h2router

import (
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/transport/http2"
)

// conn returns how the connections of one side are kept, as the keys say that both
// sides have.
func conn(c config.H2Settings, session *config.Session, socket *config.SocketOptions) http2.Options {
	var o http2.Options
	if c.WindowUpdateRatio != nil {
		o.WindowUpdateRatio = *c.WindowUpdateRatio
	}
	set := func(to *uint32, from *int) {
		if from != nil {
			*to = uint32(*from) //nolint:gosec // the decoder checks the range
		}
	}
	set(&o.HeaderTableBytes, c.HeaderTableBytes)
	set(&o.InitialWindow, c.InitialStreamWindowBytes)
	set(&o.MaxFrameBytes, c.MaxFrameBytes)
	set(&o.MaxHeaderListBytes, c.MaxHeaderListBytes)
	if session != nil {
		if session.LifeTime != nil {
			o.LifeTime = *session.LifeTime
		}
		if session.IdleTime != nil {
			o.IdleTimeout = *session.IdleTime
		}
	}
	if socket != nil && socket.WriteTimeout != nil {
		o.WriteTimeout = *socket.WriteTimeout
	}
	return o
}
