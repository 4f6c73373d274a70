package k8s

import (
	"context"
	"sync"
)

// turns has the writes of this process to one namespace take turns: of those that are
// under way at the same time only one could succeed, and the others would have to read
// again. The zero turns is ready for use.
type turns struct {
	mu  sync.Mutex
	all map[string]*turn
}

// turn is a namespace that is being written.
type turn struct {
	free  chan struct{} // holds a token while nobody writes
	users int
}

// take waits for a turn, and returns how to end it.
func (t *turns) take(ctx context.Context, namespace string) (end func(), err error) {
	t.mu.Lock()
	one := t.all[namespace]
	if one == nil {
		one = &turn{free: make(chan struct{}, 1)}
		one.free <- struct{}{}
		if t.all == nil {
			t.all = map[string]*turn{}
		}
		t.all[namespace] = one
	}
	one.users++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if one.users--; one.users == 0 {
			delete(t.all, namespace)
		}
	}
	select {
	case <-one.free:
		return func() {
			one.free <- struct{}{}
			leave()
		}, nil
	case <-ctx.Done():
		leave()
		return nil, context.Cause(ctx)
	}
}
