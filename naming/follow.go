package naming

import (
	"context"

	"github.com/weft-mesh/weft/internal/signals"
)

// FollowFunc is a Watcher of a value that follows from Sources, such as the endpoints of a
// service from what is known of its namespace. It is called as Watch is, and does not
// block: read reports the state to set and returns the stale channels of what it has read,
// and is called again as soon as one of them is closed; end is called when ctx has ended,
// after which read is not called any more. Calls of the two never overlap. Shared spends
// no goroutine on it while nothing changes.
type FollowFunc[K comparable, T any] func(ctx context.Context, key K) (read func(set func(State[T])) []<-chan struct{}, end func())

// Watch implements Watcher.
func (f FollowFunc[K, T]) Watch(ctx context.Context, key K, set func(State[T])) error {
	read, end := f(ctx, key)
	defer end()
	for {
		if err := Any(ctx, read(set)); err != nil {
			return err
		}
	}
}

// following is a FollowFunc at work for a watch.
type following[K comparable, T any] struct {
	w       *watch[K, T]
	f       FollowFunc[K, T]
	waiting *signals.Waiting // for what was read, or for the watch being left

	ctx  context.Context //nolint:containedctx // of the watch
	read func(set func(State[T])) []<-chan struct{}
	end  func()
}

// follow is run for a FollowFunc: it begins to follow if anybody wants to know.
func (w *watch[K, T]) follow(f FollowFunc[K, T]) {
	x := &following[K, T]{w: w, f: f}
	x.waiting = w.s.waiting.New(x.step)
	x.begin()
}

func (x *following[K, T]) begin() {
	ctx, ok := x.w.begin()
	if !ok {
		return
	}
	x.w.s.opts.Logger.Debug("watch begins", "key", x.w.key)
	x.ctx = ctx
	x.read, x.end = x.f(ctx, x.w.key)
	x.step()
}

// step reads, and has itself called when that is out of date or ctx has ended.
func (x *following[K, T]) step() {
	w := x.w
	if x.ctx.Err() != nil {
		x.end()
		w.s.opts.Logger.Debug("watch ends", "key", w.key)
		w.leave()
		x.begin() // somebody may have come meanwhile
		return
	}
	ctx := x.ctx
	stale := x.read(func(st State[T]) { w.set(ctx, st) })
	x.waiting.For(append(stale, ctx.Done())...)
}
