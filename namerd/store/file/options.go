package file

import "time"

// Options are how a Store uses its file. The zero value is the default.
type Options struct {
	// LockTimeout is how long Open waits for another process to let go of the file, such
	// as the one that this one replaces. Zero is 1 s, a negative value waits not at all.
	LockTimeout time.Duration
}
