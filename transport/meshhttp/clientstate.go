package meshhttp

import (
	"io"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/telemetry"
)

// clientState is what this package keeps per bound name.
type clientState struct {
	ClientSettings
	nack  *circuit.Nack
	wire  func(weft.Endpoint, ClientSettings, *clientStats) upstream
	stats *clientStats // made with the first endpoint
}

func newClientState(s ClientSettings, wire func(weft.Endpoint, ClientSettings, *clientStats) upstream) *clientState {
	nack, err := circuit.NewNack(s.Nack)
	if err != nil {
		nack, _ = circuit.NewNack(circuit.NackOptions{}) // the configuration was checked where it was read
	}
	return &clientState{ClientSettings: s, nack: nack, wire: wire}
}

// connect makes what reaches one endpoint. The calls for one client come one after the
// other, and before its attempts.
func (s *clientState) connect(ep weft.Endpoint, metrics *telemetry.Scope) io.Closer {
	if s.stats == nil {
		s.stats = newClientStats(metrics, s.Pool.MaxSize > 0)
	}
	if ep.Local != "" {
		return localAnswer(ep.Local)
	}
	return s.wire(ep, s.ClientSettings, s.stats)
}
