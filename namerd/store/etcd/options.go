package etcd

import (
	"log/slog"
	"time"
)

// Options are the settings of a Store. The zero value is the default.
type Options struct {
	// Timeout bounds one request to etcd, and how long a new connection may take. Zero
	// is 3 s.
	Timeout time.Duration

	// Patience bounds one call of a method of the Store, in which requests that failed are
	// made again. A context that ends earlier bounds it too. Zero is 15 s.
	Patience time.Duration

	// Probe is for how long nothing may be heard of the watch before it is asked for a
	// sign of life. Zero is 1 s.
	Probe time.Duration

	// MinBackoff and MaxBackoff bound the delay before something that failed is tried
	// again. The delay doubles from the one to the other, and each is shortened by a
	// random part of up to a half. Zero is 50 ms and 1 s.
	MinBackoff, MaxBackoff time.Duration

	// Linger is how long what nobody observes any more stays watched. Zero is 5 s, a
	// negative value no time at all.
	Linger time.Duration

	// Logger is told, at level Warn, of etcd going away, of refused credentials and of
	// values that are not dtabs, each once, and at level Info when etcd is back. Nil is
	// silent.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = 3 * time.Second
	}
	if o.Patience <= 0 {
		o.Patience = 15 * time.Second
	}
	if o.Probe <= 0 {
		o.Probe = time.Second
	}
	if o.MinBackoff <= 0 {
		o.MinBackoff = 50 * time.Millisecond
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
