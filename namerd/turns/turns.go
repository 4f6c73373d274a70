// Package turns lets the writers of one process take turns, for stores whose servers
// would otherwise have to refuse all but one of those who write at the same time.
package turns

import (
	"context"
	"sync"
	"time"
)

// Turns has the writes of this process to one namespace take turns: of those that are
// under way at the same time only one could succeed, and the others would have to read
// again. What one of them has seen tells those behind it that they are too late, without
// asking the servers. The zero Turns is ready for use, concurrently.
type Turns[T any] struct {
	mu  sync.Mutex
	all map[string]*Turn[T]
}

// Turn is a namespace that is being written. Its methods are for who has the turn.
type Turn[T any] struct {
	free  chan struct{} // holds a token while nobody writes
	users int

	seen   T
	seenAt time.Time // seen was so at this time or later; zero if nothing was seen
}

// Saw notes what there is under the namespace, not before at.
func (t *Turn[T]) Saw(v T, at time.Time) { t.seen, t.seenAt = v, at }

// Since returns what was seen, if that was after began.
func (t *Turn[T]) Since(began time.Time) (v T, ok bool) {
	return t.seen, t.seenAt.After(began)
}

// Last returns what was seen last, the zero T if nothing was.
func (t *Turn[T]) Last() T { return t.seen }

// Take waits for a turn, and returns how to end it, or the cause of the end of ctx.
func (t *Turns[T]) Take(ctx context.Context, namespace string) (mine *Turn[T], end func(), err error) {
	t.mu.Lock()
	one := t.all[namespace]
	if one == nil {
		one = &Turn[T]{free: make(chan struct{}, 1)}
		one.free <- struct{}{}
		if t.all == nil {
			t.all = map[string]*Turn[T]{}
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
