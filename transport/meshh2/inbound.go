package meshh2

import (
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// Inbound are the header rules of one listener.
type Inbound struct {
	// ClearContext removes every l5d-* field of a request before anything reads it. It
	// is for listeners that outsiders reach.
	ClearContext bool
	// Forwarded adds a forwarded field; nil adds none.
	Forwarded *meshhttp.Forwarded
	// MaxCallDepth is how many hops a request may have in via; zero means 1000.
	MaxCallDepth int
	// Propagation is the form of the context headers.
	Propagation propagation.Propagator
	// Tracers are those that are told of the requests.
	Tracers *telemetry.Tracers
}

func (in *Inbound) maxCallDepth() int {
	if in.MaxCallDepth <= 0 {
		return 1000
	}
	return in.MaxCallDepth
}
