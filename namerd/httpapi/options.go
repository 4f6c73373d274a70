package httpapi

import (
	"log/slog"
	"time"
)

// Options are what a Handler may and how long it waits. The zero value is the
// default.
type Options struct {
	// MaxBody is how many bytes the body of a request may have. Zero is 1 MiB.
	MaxBody int64

	// MaxStreams is how many watches there may be at once. Zero is 20,000.
	MaxStreams int

	// Stalled is how long a client may take to read what was sent to it, or to send
	// its body, before it is cut off. Zero is 30 s.
	Stalled time.Duration

	// StoreBudget is how long the store may take to answer. Zero is 5 s.
	StoreBudget time.Duration

	// DelegateBudget is how long an explanation may take. Zero is 2 s.
	DelegateBudget time.Duration

	// Logger is told, at level Warn, of what the store could not do and, at level
	// Debug, of clients that were cut off. Nil is silent.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.MaxBody <= 0 {
		o.MaxBody = 1 << 20
	}
	if o.MaxStreams <= 0 {
		o.MaxStreams = 20_000
	}
	if o.Stalled <= 0 {
		o.Stalled = 30 * time.Second
	}
	if o.StoreBudget <= 0 {
		o.StoreBudget = 5 * time.Second
	}
	if o.DelegateBudget <= 0 {
		o.DelegateBudget = 2 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
