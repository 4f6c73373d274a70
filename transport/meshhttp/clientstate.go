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
	nack *circuit.Nack
}

func newClientState(s ClientSettings) *clientState {
	nack, err := circuit.NewNack(s.Nack)
	if err != nil {
		nack, _ = circuit.NewNack(circuit.NackOptions{}) // the configuration was checked where it was read
	}
	return &clientState{ClientSettings: s, nack: nack}
}

// connect makes what reaches one endpoint.
func (s *clientState) connect(ep weft.Endpoint, metrics *telemetry.Scope) io.Closer {
	if ep.Local != "" {
		return localAnswer(ep.Local)
	}
	return newWire(ep, s.ClientSettings, metrics)
}
