package marathon

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// Resolve returns the endpoints of host at port, kept up to date until ctx ends.
// It does not block. The method Resolve of package inet's Resolver is one.
type Resolve func(ctx context.Context, host, port string) weft.Source[naming.State[weft.EndpointSet]]

// Options are the settings of a Namer. The zero value is the default.
type Options struct {
	// Resolve resolves the hosts of tasks that are names. Nil takes IP addresses only;
	// tasks with others are left out.
	Resolve Resolve

	// Dial connects to Marathon, whose address is addr, or to what stands in for it.
	// Nil asks the system's resolver and connects to one of its addresses.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// Timeout is how long an answer may take, from the connection to the last byte.
	// Zero is 20 s.
	Timeout time.Duration

	// Logger is told, at level Warn, when asking begins to fail, and of tasks that are
	// left out because they cannot be understood. Nil is silent.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	}
	if o.Timeout <= 0 {
		o.Timeout = 20 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
