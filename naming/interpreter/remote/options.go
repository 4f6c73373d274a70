package remote

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/telemetry"
)

// Options are what an interpreter gets from its owner.
type Options struct {
	// Endpoints returns the endpoints of namerd, kept up to date until ctx ends: what
	// `dst` is bound to. It is called once and is required. Any of the endpoints will
	// do; those with a negative weight are left alone.
	Endpoints func(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]]

	// Dial opens a connection to host:port, TLS not included. Nil is a net.Dialer
	// with TCP keep-alive every five seconds.
	Dial func(ctx context.Context, addr string) (net.Conn, error)

	// Cache has what namerd last said kept in a file, which is used after a start for as
	// long as no namerd answers.
	Cache CacheOptions

	// Linger is how long a name or an id that nobody uses any more is still followed.
	// Zero is 5 s, a negative value no time at all.
	Linger time.Duration

	// Metrics is the scope that gets what questions come to, and how many are followed;
	// nil records nothing.
	Metrics *telemetry.Scope

	// Logger is told, at level Warn, of lost connections and of answers that are
	// errors, once each, and at level Info of new connections. Nil is silent.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Dial == nil {
		d := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3,
		}}
		o.Dial = func(ctx context.Context, addr string) (net.Conn, error) { return d.DialContext(ctx, "tcp", addr) }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// CacheOptions say where what namerd last said is kept. The zero value keeps nothing.
type CacheOptions struct {
	// Dir is the directory of the file. It is made if it does not exist.
	Dir string

	// Name begins the name of the file. Two interpreters with the same configuration
	// need different ones.
	Name string

	// Rules are those that the router has, and brings along with its questions. What
	// is asked with other rules, those of requests, is not kept.
	Rules dtab.Dtab
}
