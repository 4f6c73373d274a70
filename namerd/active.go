package namerd

import (
	"cmp"
	"slices"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// Active is a name that somebody has bound in a namespace.
type Active struct {
	// Name is the logical name.
	Name dtab.Path

	// Local is the dtab that came with it, whose rules win over those of the namespace:
	// that of a router's configuration and that of requests.
	Local dtab.Dtab
}

// Active returns the names that are bound in a namespace now, or were a moment ago
// (Options.Linger), whichever interface they were asked for at, in alphabetical
// order: at most limit of them, and how many there are.
func (n *Namerd) Active(namespace string, limit int) (names []Active, total int) {
	var all []question
	for _, q := range n.bindings.Keys() {
		if q.namespace == namespace {
			all = append(all, q)
		}
	}
	slices.SortFunc(all, func(a, b question) int {
		return cmp.Or(strings.Compare(a.name.String(), b.name.String()), strings.Compare(a.local, b.local))
	})
	for _, q := range all[:min(len(all), limit)] {
		local, err := dtab.Parse(q.local)
		if err != nil {
			continue // such a name cannot be bound whatever the rules are
		}
		names = append(names, Active{Name: q.name, Local: local})
	}
	return names, len(all)
}
