package rancher

import (
	"context"
	"log/slog"
	"net"
	"time"
)

// Options are the settings of a Namer. The zero value is the default.
type Options struct {
	// Dial connects to the metadata service, whose address is addr, or to what stands in
	// for it. Nil asks the system's resolver and connects to one of its addresses.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// Logger is told, at level Warn, when asking begins to fail, and of containers that
	// are left out because they cannot be understood. Nil is silent.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
