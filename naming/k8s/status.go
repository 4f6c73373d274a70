package k8s

import (
	"slices"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Status is what a Namer knows, for the page that shows its state.
type Status struct {
	Prefix        dtab.Path `json:"prefix"`
	Server        string    `json:"server"`                  // where the API server is
	Namespace     string    `json:"namespace,omitempty"`     // of all names
	LabelSelector string    `json:"labelSelector,omitempty"` // the label whose value names have
	Watches       []string  `json:"watches"`                 // of namespaces and of services
}

// Watches implements naming.Reporter: the services that are in use, and the watches
// of namespaces that they are known from.
func (n *Namer) Watches() []naming.WatchStatus {
	return slices.Concat(n.client.Watches(), n.sets.Watches())
}

// State returns a Status, for the admin page of the namer.
func (n *Namer) State() any {
	s := Status{Prefix: n.prefix, Server: n.client.base.Redacted(), Namespace: n.namespace, LabelSelector: n.label, Watches: []string{}}
	for _, w := range n.Watches() {
		s.Watches = append(s.Watches, w.String())
	}
	return s
}
