package thriftapi

import (
	"bytes"
	"container/list"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// observation is a value that polls wait for, with a stamp that is another one when
// the value is.
type observation[T any] struct {
	src    weft.Source[naming.State[T]]
	cancel context.CancelFunc
	next   *stamps
	same   func(a, b T) bool

	mu    sync.Mutex // guards what follows
	seen  bool
	state naming.State[T]
	stale <-chan struct{} // that of state
	stamp []byte

	// Of the observations that this is one of:
	waiting int
	idle    *list.Element
}

// wait returns a state that does not have the given stamp, once there is one, and its
// stamp. The error is the context's cause.
func (x *observation[T]) wait(ctx context.Context, stamp []byte) (naming.State[T], []byte, error) {
	for {
		st, now, stale := x.load()
		if !st.Pending() && !bytes.Equal(now, stamp) {
			return st, now, nil
		}
		select {
		case <-stale:
		case <-ctx.Done():
			return st, nil, context.Cause(ctx)
		}
	}
}

// load returns the state and its stamp.
func (x *observation[T]) load() (naming.State[T], []byte, <-chan struct{}) {
	x.mu.Lock()
	defer x.mu.Unlock()
	st, stale := x.src.Load()
	if x.seen && stale == x.stale || st.Pending() {
		return x.state, x.stamp, stale
	}
	if !x.seen || !x.sameState(st) {
		x.state, x.stamp = st, x.next.next()
	}
	x.seen, x.stale = true, stale
	return x.state, x.stamp, stale
}

// sameState reports whether st says what the present state does. That a value is in
// doubt does not show.
func (x *observation[T]) sameState(st naming.State[T]) bool {
	switch {
	case st.Known != x.state.Known:
		return false
	case st.Known:
		return x.same(st.Value, x.state.Value)
	default:
		return st.Err.Error() == x.state.Err.Error()
	}
}

func sameTree(a, b dtab.Tree[*naming.Bound]) bool {
	return dtab.EqualFunc(a, b, func(x, y *naming.Bound) bool { return x.ID == y.ID && x.Residual == y.Residual })
}

func sameSet(a, b weft.EndpointSet) bool { return reflect.DeepEqual(a, b) }

// stamps are numbers that are given out once. They begin anywhere, so that those of
// another process, or of this one in another life, are others.
type stamps struct{ last atomic.Uint64 }

func newStamps() *stamps {
	s := &stamps{}
	s.last.Store(rand.Uint64())
	return s
}

func (s *stamps) next() []byte { return binary.BigEndian.AppendUint64(nil, s.last.Add(1)) }
