package k8s

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

// Options are the settings of everything in this package. The zero value is the
// default.
type Options struct {
	// Client is used instead of one of its own, so that several users share
	// connections and watches. Who made it closes it. The Access of a Config is
	// ignored.
	Client *Client

	// Resolve resolves the host names of load balancers and of endpoints that have no
	// address. Nil leaves them out and says so.
	Resolve Resolve

	// Linger is how long a watch goes on after its last observer has left. Zero is
	// 30 s for namespaces and 5 s for services, a negative value none.
	Linger time.Duration

	// MinBackoff and MaxBackoff bound the delay between attempts to reach the server,
	// which doubles from the one to the other and is jittered. Zero is 50 ms and 1 s:
	// what has happened in the meantime should be known soon after the server is back.
	// Answers that will not change soon (forbidden, no such API) are asked for again after
	// ten times as long.
	MinBackoff, MaxBackoff time.Duration

	// Certificates has Ingresses read the secrets that ingresses name for TLS.
	Certificates bool

	// Getenv reads the environment. Nil is os.Getenv.
	Getenv func(string) string

	// Logger is told, at level Warn, what is wrong with the server, the credentials and
	// the objects, once each. Nil is silent.
	Logger *slog.Logger
}

func (o Options) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Logger
}

// backoff returns the bounds of the delay between attempts.
func (o Options) backoff() (least, most time.Duration) {
	least, most = o.MinBackoff, o.MaxBackoff
	if least <= 0 {
		least = 50 * time.Millisecond
	}
	if most <= 0 {
		most = time.Second
	}
	return least, max(least, most)
}

// linger returns how long a watch goes on, by default for d.
func (o Options) linger(d time.Duration) time.Duration {
	if o.Linger != 0 {
		return o.Linger
	}
	return d
}
