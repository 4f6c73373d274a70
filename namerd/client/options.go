package client

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/weft-mesh/weft/namerd"
)

// Options say how a namerd is asked. The zero value is the default.
type Options struct {
	// HTTP sends the requests. Nil is a client of one's own, with the proxies that the
	// environment names. Its Timeout must be zero, or watches end with it.
	HTTP *http.Client

	// TLS is used for https. Nil is the system's roots and no certificate. Not together with HTTP.
	TLS *tls.Config

	// Token is sent as a bearer token if it is not empty.
	Token string

	// Timeout bounds each request, except watches. Zero is 10 s, a negative value none.
	Timeout time.Duration

	// Note is kept with every write, by a namerd that keeps notes.
	Note namerd.Note

	// Logger is told of watches that fail. Nil is silent.
	Logger *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	switch {
	case o.HTTP != nil && o.TLS != nil:
		return o, errors.New("namerd client: options: TLS has no effect beside HTTP; configure the transport of HTTP")
	case o.HTTP != nil && o.HTTP.Timeout != 0:
		return o, errors.New("namerd client: options: HTTP has a Timeout, which would end watches; set Options.Timeout")
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
