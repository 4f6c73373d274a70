// Package standard is the one list of the kinds that weft has built in. A custom
// proxy makes its registry of Kinds and its own entries; see examples/custom-proxy.
package standard

import (
	"slices"

	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
)

// Kinds returns every kind that a configuration may name: those that are built, and
// the declarations of those that Linkerd 1.7.5 has beyond them, which are refused
// with a message that says so.
func Kinds() []config.Entry {
	return slices.Concat(
		kinds.All(), // what is only declared gives way to what is built
		protocols(), namers(), k8sNamers(), consulKinds(), zkKinds(), schedulerNamers(), otherNamers(), namerdInterpreters(), transformers(), ingressIdentifiers(), interpreters(), telemeters(), storages(), interfaces(),
		balancers(), accruals(), backoffs(),
		identifiers(), classifiers(), labelers(), propagators(),
		h2Identifiers(), h2Classifiers(),
	)
}

// Registry returns the registry of Kinds and more.
func Registry(more ...config.Entry) (config.Registry, error) {
	return config.NewRegistry(append(Kinds(), more...)...)
}

// none is the configuration of kinds without keys.
type none = struct{}
