package etcd

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

// Options are the settings of a Namer. The zero value is the default.
type Options struct {
	// Resolve resolves host names in values. Nil takes IP addresses only; values with
	// other hosts are reported and left out.
	Resolve Resolve

	// Timeout bounds one request, and how long a new connection may take. Zero is 3 s.
	Timeout time.Duration

	// Probe is the time between small reads that find out whether etcd still
	// answers. With Timeout it says how long a connection that went silent goes
	// unnoticed: up to their sum. Zero is 3 s.
	Probe time.Duration

	// Resync is about how often a service is listed although its watch is well. Zero
	// is 10 min, a negative value never.
	Resync time.Duration

	// MinBackoff and MaxBackoff bound the delay before something that failed is tried
	// again. The delay doubles from the one to the other, and each is shortened by a
	// random part of up to a half. Zero is 100 ms and 1 s. Credentials that were refused
	// are tried again after up to twice as long.
	MinBackoff, MaxBackoff time.Duration

	// Linger is how long a service that nobody observes any more stays watched. Zero is
	// 5 s, a negative value no time at all.
	Linger time.Duration

	// Logger is told, at level Warn, of etcd going away, of refused credentials and of
	// values that cannot be read, each once, and at level Info when etcd is back. Nil is
	// silent.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = 3 * time.Second
	}
	if o.Probe <= 0 {
		o.Probe = 3 * time.Second
	}
	if o.Resync == 0 {
		o.Resync = 10 * time.Minute
	}
	if o.MinBackoff <= 0 {
		o.MinBackoff = 100 * time.Millisecond
	}
	if o.MaxBackoff <= 0 {
		o.MaxBackoff = time.Second
	}
	o.MaxBackoff = max(o.MaxBackoff, o.MinBackoff)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
