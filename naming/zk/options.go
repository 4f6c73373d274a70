package zk

import (
	"context"
	"log/slog"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// Resolve returns the endpoints of host at port, kept up to date until ctx ends.
// It does not block. The method Resolve of package inet's Resolver is one.
type Resolve func(ctx context.Context, host, port string) weft.Source[naming.State[weft.EndpointSet]]

// Options are the settings of the namers and the announcer. The zero value is the
// default.
type Options struct {
	// Sessions are shared with others that ask the same ensemble. Nil is some of its own.
	Sessions *Sessions

	// Resolve resolves host names. Nil takes IP addresses only; members with other
	// hosts are reported and left out.
	Resolve Resolve

	// RemovalHold is how long an endpoint of a serverset whose member has vanished stays:
	// a member whose session expired is back in a moment, and to take all of its
	// traffic away and give it back is worse than to try it once more. A member that
	// says it is not ALIVE any more is gone at once, and so is everything in the
	// namers other than serversets. Zero is 1 s, a negative value none.
	RemovalHold time.Duration

	// Linger is how long what nobody observes any more stays watched. Zero is 5 s, a
	// negative value no time at all.
	Linger time.Duration

	// Logger is told, at level Warn, of sessions that are lost, names that cannot be read
	// and members that are malformed. Nil is silent.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	switch {
	case o.RemovalHold == 0:
		o.RemovalHold = time.Second
	case o.RemovalHold < 0:
		o.RemovalHold = 0
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
