package consul

import (
	"context"
	"log/slog"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/telemetry"
)

// Resolve returns the endpoints of host at port, kept up to date until ctx ends.
// It does not block. The method Resolve of package inet's Resolver is one.
type Resolve func(ctx context.Context, host, port string) weft.Source[naming.State[weft.EndpointSet]]

// Options are the settings of a Namer, a Dtab and an Announcer. The zero value is
// the default.
type Options struct {
	// Resolve resolves the addresses of services that are host names. Nil takes IP
	// addresses and localhost only; instances with others are left out.
	Resolve Resolve

	// MaxQueries is how many names are asked for at the same time, each of which is a
	// connection. Names beyond it take turns of seconds. It should be less than
	// limits.http_max_conns_per_client of the agent, which is 200 by default and is
	// shared by all clients on one address. Zero is 150, and 1000 with TLS, where one
	// connection carries many queries.
	MaxQueries int

	// Metrics is the scope that gets what a Namer's watches of services come to; nil
	// records nothing.
	Metrics *telemetry.Scope

	// Logger is told, at level Warn, when asking begins to fail, and of instances that
	// are left out because they cannot be understood. Nil is silent.
	Logger *slog.Logger
}

func (o Options) withDefaults(tls bool) Options {
	if o.MaxQueries <= 0 {
		o.MaxQueries = 150
		if tls {
			o.MaxQueries = 1000
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
