package file

import (
	"cmp"
	"time"
)

// Options are how a Store uses its file. The zero value is the default.
type Options struct {
	// LockTimeout is how long Open waits for another process to let go of the file, such
	// as the one that this one replaces. Zero is 1 s, a negative value waits not at all.
	LockTimeout time.Duration
}

func (o Options) withDefaults() Options {
	// What bbolt takes zero for is to wait for ever.
	o.LockTimeout = max(cmp.Or(o.LockTimeout, time.Second), time.Nanosecond)
	return o
}
