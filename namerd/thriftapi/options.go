package thriftapi

import (
	"crypto/tls"
	"log/slog"
	"time"
)

// Options are what a Server is made of. The zero value is the original's default.
type Options struct {
	// Bindings and Addrs limit what is observed for polls of trees and of endpoints.
	Bindings, Addrs CacheOptions

	// MaxCalls is how many requests of a connection may wait for an answer; those
	// above are handed back. A proxy has one for every name and one for every id. Zero
	// is 20 000.
	MaxCalls int

	// TLS is the server's side of TLS, nil for none.
	TLS *tls.Config

	// ExplainTimeout is how long an explanation waits for what has not answered; it
	// is sent with what there is then. Zero is 10 s.
	ExplainTimeout time.Duration

	// Logger is told, at level Warn, of connections that are closed because of what
	// came over them, and of failures. Nil is silent.
	Logger *slog.Logger
}

// CacheOptions limit the observations of one kind. An observation is active while a
// request waits on it; then it is kept for some time, for the next request.
type CacheOptions struct {
	// Active is how many may be active; a request for one more fails. Zero is 1000.
	Active int

	// Inactive is how many are kept for the next request, of which the one that was
	// used least recently has to go. Zero is 100, a negative value none.
	Inactive int

	// TTL is how long. Zero is 10 minutes.
	TTL time.Duration
}

func (o CacheOptions) withDefaults() CacheOptions {
	if o.Active <= 0 {
		o.Active = 1000
	}
	switch {
	case o.Inactive == 0:
		o.Inactive = 100
	case o.Inactive < 0:
		o.Inactive = 0
	}
	if o.TTL <= 0 {
		o.TTL = 10 * time.Minute
	}
	return o
}

func (o Options) withDefaults() Options {
	o.Bindings, o.Addrs = o.Bindings.withDefaults(), o.Addrs.withDefaults()
	if o.MaxCalls <= 0 {
		o.MaxCalls = 20_000
	}
	if o.ExplainTimeout <= 0 {
		o.ExplainTimeout = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
