package thriftapi

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// grace is how long an observation is kept after an answer even if there are too many
// of them: the client that has the answer asks for the next one in a moment, and
// would only be told the same again if everybody's were gone by then.
const grace = 5 * time.Second

// observations are what polls wait for: a value by key, followed while somebody waits
// for it and some time longer. It is safe for concurrent use.
type observations[K comparable, T any] struct {
	opts    CacheOptions
	next    *stamps
	same    func(a, b T) bool
	observe func(context.Context, K) weft.Source[naming.State[T]]
	ctx     context.Context // the parent of every observation's

	mu     sync.Mutex
	closed bool
	all    map[K]*observation[T]
	idle   *list.List // of idle[K], the one that was used last in front
	timer  *time.Timer
}

// idle is an observation for which nobody waits.
type idle[K comparable] struct {
	key   K
	since time.Time
}

func newObservations[K comparable, T any](
	ctx context.Context, o CacheOptions, next *stamps, same func(a, b T) bool, observe func(context.Context, K) weft.Source[naming.State[T]],
) *observations[K, T] {
	return &observations[K, T]{
		opts: o, next: next, same: same, observe: observe, ctx: ctx,
		all: map[K]*observation[T]{}, idle: list.New(),
	}
}

// poll waits for a state of key other than the one with the given stamp, and returns
// it with its own. No stamp is that of no state. The error is why there is none to
// wait for.
func (o *observations[K, T]) poll(ctx context.Context, key K, stamp []byte) (naming.State[T], []byte, error) {
	x, err := o.acquire(key)
	if err != nil {
		return naming.State[T]{}, nil, err
	}
	defer o.release(key, x)
	return x.wait(ctx, stamp)
}

// acquire returns the observation of key, which then is active.
func (o *observations[K, T]) acquire(key K) (*observation[T], error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := o.all[key]
	switch {
	case x != nil && x.waiting > 0:
	case o.closed:
		return nil, naming.ErrClosed
	case len(o.all)-o.idle.Len() >= o.opts.Active:
		return nil, fmt.Errorf("The maximum number of concurrent observations has been reached (%d)", o.opts.Active) //nolint:staticcheck // the original's words
	case x != nil:
		o.idle.Remove(x.idle)
	default:
		ctx, cancel := context.WithCancel(o.ctx)
		x = &observation[T]{src: o.observe(ctx, key), cancel: cancel, next: o.next, same: o.same}
		o.all[key] = x
	}
	x.waiting++
	return x, nil
}

// release takes acquire back.
func (o *observations[K, T]) release(key K, x *observation[T]) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if x.waiting--; x.waiting > 0 || o.closed {
		return
	}
	x.idle = o.idle.PushFront(idle[K]{key, time.Now()})
	o.trim()
}

// trim ends the observations that are not kept any longer, and comes back when there
// will be others. The mutex is held.
func (o *observations[K, T]) trim() {
	now := time.Now()
	for e := o.idle.Back(); e != nil; e = o.idle.Back() {
		i, _ := e.Value.(idle[K])
		keep := o.opts.TTL
		if o.idle.Len() > o.opts.Inactive {
			keep = min(keep, grace)
			if len(o.all) > o.opts.Active+o.opts.Inactive {
				keep = 0
			}
		}
		if left := keep - now.Sub(i.since); left > 0 {
			o.again(left)
			return
		}
		o.idle.Remove(e)
		o.all[i.key].cancel()
		delete(o.all, i.key)
	}
}

// again makes trim be called after d. The mutex is held.
func (o *observations[K, T]) again(d time.Duration) {
	if o.timer != nil {
		o.timer.Reset(d)
		return
	}
	o.timer = time.AfterFunc(d, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		if !o.closed {
			o.trim()
		}
	})
}

// close ends all observations.
func (o *observations[K, T]) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if o.timer != nil {
		o.timer.Stop()
	}
	for key, x := range o.all {
		x.cancel()
		delete(o.all, key)
	}
	o.idle.Init()
}
