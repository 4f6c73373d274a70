package kinds_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
)

// TestIstioIsGone: every use of a kind for Istio is answered with what became of it,
// and not with a flag to set first.
func TestIstioIsGone(t *testing.T) {
	var entries []config.Entry
	for _, p := range []string{"http", "h2"} {
		entries = append(entries, config.Define(config.RoleProtocol, p, func(struct{}, struct{}) (string, error) { return p, nil }, config.Traits{}))
	}
	r, err := config.NewRegistry(append(kinds.All(), entries...)...)
	require.NoError(t, err)
	_, err = config.Load("l5d.yaml", []byte(`
namers:
- kind: io.l5d.k8s.istio
routers:
- protocol: http
  identifier: {kind: io.l5d.k8s.istio}
  interpreter: {kind: io.l5d.k8s.istio, experimental: true}
  client: {requestAuthorizers: [{kind: io.l5d.k8s.istio}]}
  servers: [{port: 4140}]
- protocol: h2
  identifier: {kind: io.l5d.k8s.istio-ingress}
  servers: [{port: 4142}]
`), config.Options{Registry: r})
	var ps config.Problems
	require.True(t, errors.As(err, &ps))
	var at []string
	for _, p := range ps {
		at = append(at, p.Path)
		assert.Contains(t, p.Message, "of Linkerd 1.x cannot be used any more: it needs ")
		if p.Path == "routers[0].client.requestAuthorizers[0].kind" {
			assert.Contains(t, p.Message, "Mixer, which Istio deprecated in 1.5 and removed in 1.8")
			continue
		}
		assert.Contains(t, p.Message, `kind "io.l5d.k8s.istio`)
		assert.Contains(t, p.Message, "removed in 1.0, in 2018; use the namer io.l5d.k8s")
		assert.Contains(t, p.Message, "io.l5d.ingress")
	}
	assert.ElementsMatch(t, []string{
		"namers[0].kind", "routers[0].identifier.kind", "routers[0].interpreter.kind",
		"routers[0].client.requestAuthorizers[0].kind", "routers[1].identifier.kind",
	}, at)
	p, err := r.Part(config.RoleNamer, "io.l5d.k8s.istio", kinds.IstioNamer{})
	require.NoError(t, err)
	_, err = config.Build[string](p, struct{}{})
	assert.ErrorContains(t, err, "cannot be used any more")
}
