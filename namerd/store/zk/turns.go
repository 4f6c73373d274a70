package zk

import (
	"context"
	"sync"
	"time"
)

// turns has the writes of this process to one namespace take turns: of those that are
// under way at the same time only one could succeed, and the others would have to read
// again. What one of them has seen tells those behind it that they are too late, without
// asking the servers. The zero turns is ready for use.
type turns[T any] struct {
	mu  sync.Mutex
	all map[string]*turn[T]
}

// turn is a namespace that is being written. But for users, it is of who has the turn.
type turn[T any] struct {
	free  chan struct{} // holds a token while nobody writes
	users int

	seen   T
	seenAt time.Time // seen was so at this time or later; zero if nothing was seen
}

// saw notes what there is under the namespace, not before at.
func (t *turn[T]) saw(v T, at time.Time) { t.seen, t.seenAt = v, at }

// since returns what was seen, if that was after began.
func (t *turn[T]) since(began time.Time) (v T, ok bool) {
	return t.seen, t.seenAt.After(began)
}

// take waits for a turn, and returns how to end it.
func (t *turns[T]) take(ctx context.Context, namespace string) (mine *turn[T], end func(), err error) {
	t.mu.Lock()
	one := t.all[namespace]
	if one == nil {
		one = &turn[T]{free: make(chan struct{}, 1)}
		one.free <- struct{}{}
		if t.all == nil {
			t.all = map[string]*turn[T]{}
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
		return one, func() {
			one.free <- struct{}{}
			leave()
		}, nil
	case <-ctx.Done():
		leave()
		return nil, nil, context.Cause(ctx)
	}
}
