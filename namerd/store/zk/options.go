package zk

import (
	"log/slog"
	"time"
)

// Options are the settings of a Store that no configuration has. The zero value is the
// default.
type Options struct {
	// Linger is how long a namespace that nobody observes any more stays watched. Zero is
	// 5 s, a negative value no time at all.
	Linger time.Duration

	// Patience is how long reads and writes wait for a connection if their context lets
	// them; then they fail with ErrNoSession. Zero is 10 s.
	Patience time.Duration

	// Logger is told, at level Warn, of connections that are lost and of what cannot be
	// read. Nil is silent.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Patience <= 0 {
		o.Patience = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
