package meshapi

import (
	"crypto/tls"
	"log/slog"
	"time"

	"google.golang.org/grpc"
)

// Options are what a Server is made of. The zero value serves cleartext.
type Options struct {
	// TLS is the server's side of TLS. ALPN offers h2 whatever it says. Nil is
	// HTTP/2 in cleartext, by prior knowledge.
	TLS *tls.Config

	// ExplainTimeout is how long an explanation waits for what has not answered; it
	// is sent with what there is then. Zero is 10 s.
	ExplainTimeout time.Duration

	// Logger is told, at level Warn, of streams that end because a name could not be
	// bound or a dtab not be read. Nil is silent.
	Logger *slog.Logger

	// ServerOptions are added to those that Serve uses: interceptors and handlers of
	// statistics, for example.
	ServerOptions []grpc.ServerOption
}

func (o Options) withDefaults() Options {
	if o.ExplainTimeout <= 0 {
		o.ExplainTimeout = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
