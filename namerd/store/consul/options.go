package consul

import (
	"log/slog"
	"time"
)

// Options are the settings of a Store. The zero value is the default.
type Options struct {
	// Timeout bounds one request that does not block. Zero is 5 s.
	Timeout time.Duration

	// Patience bounds one call of a method of the Store, in which requests that failed are
	// made again. A context that ends earlier bounds it too. Zero is 15 s.
	Patience time.Duration

	// Wait is how long a blocking query blocks. A connection that has silently gone is
	// given up after that and Timeout. Zero is 5 s.
	Wait time.Duration

	// MaxConns is how many connections there are at the same time, the one for the
	// blocking query not counted. The agent has a limit for those of all clients on one
	// address, limits.http_max_conns_per_client, which is 200 by default. Zero is 50.
	MaxConns int

	// Linger is how long what nobody observes any more stays watched. Zero is 5 s, a
	// negative value no time at all.
	Linger time.Duration

	// Logger is told, at level Warn, when asking begins to fail and of values that are
	// not dtabs, each once, and at level Info when the agent is back. Nil is silent.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Patience <= 0 {
		o.Patience = 15 * time.Second
	}
	if o.Wait <= 0 {
		o.Wait = 5 * time.Second
	}
	if o.MaxConns <= 0 {
		o.MaxConns = 50
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
