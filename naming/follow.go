package naming

import "context"

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
	w    *watch[K, T]
	ctx  context.Context
	read func(set func(State[T])) []<-chan struct{}
	end  func()
}

// follow is run for a FollowFunc: it begins to follow if anybody wants to know.
func (w *watch[K, T]) follow(f FollowFunc[K, T]) {
	ctx, ok := w.begin()
	if !ok {
		return
	}
	w.s.opts.Logger.Debug("watch begins", "key", w.key)
	x := &following[K, T]{w: w, ctx: ctx}
	x.read, x.end = f(ctx, w.key)
	x.step(f)
}

// step reads, and has itself called when that is out of date or ctx has ended.
func (x *following[K, T]) step(f FollowFunc[K, T]) {
	w := x.w
	if x.ctx.Err() != nil {
		x.end()
		w.s.opts.Logger.Debug("watch ends", "key", w.key)
		w.leave()
		w.follow(f) // somebody may have come meanwhile
		return
	}
	stale := x.read(func(st State[T]) { w.set(x.ctx, st) })
	w.s.waiting.Then(func() { x.step(f) }, append(stale, x.ctx.Done())...)
}
