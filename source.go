package weft

import (
	"context"
	"sync"
	"sync/atomic"
)

// Source is a value that changes. Load returns the current value and a channel
// that is closed as soon as there is a newer one; a nil channel means that the
// value never changes again. Load never blocks and is safe for concurrent use.
//
// Readers that want to follow a Source loop over Load and wait for stale. They
// see the latest value, not necessarily every value, and have nothing to
// unsubscribe from.
type Source[T any] interface {
	Load() (v T, stale <-chan struct{})
}

// Var is a Source that its owner sets. The zero Var holds the zero T. It is safe
// for concurrent use; a Var must not be copied after first use.
type Var[T any] struct {
	mu  sync.Mutex
	cur atomic.Pointer[version[T]]
}

type version[T any] struct {
	v     T
	stale chan struct{}
}

// NewVar returns a Var that holds v.
func NewVar[T any](v T) *Var[T] {
	x := &Var[T]{}
	x.cur.Store(&version[T]{v: v, stale: make(chan struct{})})
	return x
}

// Load implements Source.
func (x *Var[T]) Load() (T, <-chan struct{}) {
	c := x.current()
	return c.v, c.stale
}

// Store sets the value and wakes every reader that waits for a newer one.
func (x *Var[T]) Store(v T) {
	next := &version[T]{v: v, stale: make(chan struct{})}
	x.mu.Lock()
	old := x.cur.Swap(next)
	x.mu.Unlock()
	if old != nil {
		close(old.stale)
	}
}

// current installs the first version of a zero Var, under the lock so that two
// first readers agree on the channel to wait for.
func (x *Var[T]) current() *version[T] {
	if c := x.cur.Load(); c != nil {
		return c
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if c := x.cur.Load(); c != nil {
		return c
	}
	c := &version[T]{stale: make(chan struct{})}
	x.cur.Store(c)
	return c
}

// Const is a Source that never changes.
type Const[T any] struct{ V T }

// Load implements Source.
func (c Const[T]) Load() (T, <-chan struct{}) { return c.V, nil }

// Until waits until ok holds for the value of s and returns that value. When ctx
// ends first, or the value can no longer change, it returns the last value seen
// and the context's error or ErrNeverChanges.
func Until[T any](ctx context.Context, s Source[T], ok func(T) bool) (T, error) {
	for {
		v, stale := s.Load()
		if ok(v) {
			return v, nil
		}
		if stale == nil {
			return v, ErrNeverChanges
		}
		select {
		case <-stale:
		case <-ctx.Done():
			return v, context.Cause(ctx)
		}
	}
}
