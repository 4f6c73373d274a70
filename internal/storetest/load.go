package storetest

import (
	"cmp"
	"context"
)

// Load says what Concurrent does.
type Load struct {
	Handles    int // stores opened; zero is 2
	Namespaces int // dtabs written to; zero is 1
	Writers    int // goroutines, spread over handles and namespaces; zero is 8
	Writes     int // acknowledged writes in all; zero is 400

	// Faults is run beside the writers until ctx ends and may do what it likes to the
	// servers, which must be well again when it returns. With it writes and reads may fail;
	// those that fail with other errors than namerd's may have been made or not.
	Faults func(ctx context.Context)
}

func (l Load) withDefaults() Load {
	l.Handles = cmp.Or(l.Handles, 2)
	l.Namespaces = cmp.Or(l.Namespaces, 1)
	l.Writers = cmp.Or(l.Writers, 8)
	l.Writes = cmp.Or(l.Writes, 400)
	return l
}
