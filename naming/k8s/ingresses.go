package k8s

import (
	"crypto/tls"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// Ingresses is the table of all ingresses: a weft.Source whose value changes with
// the cluster. It is pending until the first list was read, and keeps the last table,
// marked stale, while there is no newer one. It is safe for concurrent use. Close
// it.
type Ingresses struct {
	table weft.Var[naming.State[Table]]
	certs weft.Var[naming.State[[]Certificate]]
}

// Certificate is the certificate of some hosts of an ingress.
type Certificate struct {
	// Namespace and Secret say where it is from, and Hosts for which names ingresses
	// want it, sorted. No hosts means those of the certificate itself.
	Namespace, Secret string
	Hosts             []string

	Certificate *tls.Certificate
}

// NewIngresses watches the ingresses.
func NewIngresses(_ IngressConfig, _ Options) (*Ingresses, error) {
	return &Ingresses{}, nil
}

// Load implements weft.Source.
func (i *Ingresses) Load() (naming.State[Table], <-chan struct{}) { return i.table.Load() }

// Certificates returns the certificates that ingresses name, sorted by namespace
// and secret. Without Options.Certificates there are none.
func (i *Ingresses) Certificates() weft.Source[naming.State[[]Certificate]] { return &i.certs }

// Watches implements naming.Reporter.
func (i *Ingresses) Watches() []naming.WatchStatus { return nil }

// Close ends the watches and waits for them. The table stands still.
func (i *Ingresses) Close() error { return nil }
