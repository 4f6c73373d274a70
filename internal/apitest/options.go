package apitest

import "time"

// Options say what can be expected of a store. The zero value suits any.
type Options struct {
	// Literal says that versions are those of io.l5d.inMemory: a counter of 8 bytes
	// from 1. Rows then compare tags with those of the specification; otherwise with
	// what was read.
	Literal bool

	// Limit is how long anything may take that happens in the end. Zero is 20 s.
	Limit time.Duration
}

func (o Options) withDefaults() Options {
	if o.Limit == 0 {
		o.Limit = 20 * time.Second
	}
	return o
}
