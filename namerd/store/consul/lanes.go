package consul

import (
	"context"
	"sync"
)

// lanes lets writers of the same namespace in this process commit one after the other.
// Of those who compare with the same place only one can succeed, and all the others
// would cost the servers an entry in their log each. It is safe for concurrent use.
type lanes struct {
	mu  sync.Mutex
	all map[string]*lane
}

// lane is that of one namespace, as long as somebody uses it.
type lane struct {
	users int           // guarded by the mutex of lanes
	turn  chan struct{} // holds a token while a commit is under way
	last  place         // where the last one that was made has led; whose turn it is has it
}

// enter waits for the turn of a writer of a namespace.
func (l *lanes) enter(ctx context.Context, namespace string) (in *lane, leave func(), err error) {
	l.mu.Lock()
	if l.all == nil {
		l.all = map[string]*lane{}
	}
	in = l.all[namespace]
	if in == nil {
		in = &lane{turn: make(chan struct{}, 1)}
		l.all[namespace] = in
	}
	in.users++
	l.mu.Unlock()
	part := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if in.users--; in.users == 0 {
			delete(l.all, namespace)
		}
	}
	select {
	case in.turn <- struct{}{}:
		return in, func() { <-in.turn; part() }, nil
	case <-ctx.Done():
		part()
		return nil, nil, context.Cause(ctx)
	}
}
