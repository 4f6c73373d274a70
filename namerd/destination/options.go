package destination

import (
	"crypto/tls"
	"log/slog"

	"google.golang.org/grpc"

	"github.com/weft-mesh/weft/dtab"
)

// Options are what a Server is made of. The zero value is the original's default.
type Options struct {
	// Prefix begins the names that are bound. Empty is /svc.
	Prefix dtab.Path

	// Namespace is whose dtab names are bound with. Empty is default.
	Namespace string

	// TLS is the server's side of TLS. ALPN offers h2 whatever it says. Nil is
	// HTTP/2 in cleartext, by prior knowledge.
	TLS *tls.Config

	// Logger is told, at level Warn, of names that cannot be bound. Nil is silent.
	Logger *slog.Logger

	// ServerOptions are added to those that Serve uses.
	ServerOptions []grpc.ServerOption
}

func (o Options) withDefaults() Options {
	if o.Prefix.IsEmpty() {
		o.Prefix = dtab.MustPath("/svc")
	}
	if o.Namespace == "" {
		o.Namespace = "default"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
