package naming

import "context"

// Watcher is what the author of a plug-in writes: one blocking function that
// reports what it sees. Shared runs it and does the rest: sharing between
// observers, lingering, restarts with back-off, keeping the last good value.
//
// Watch reports the state of key to set, whenever it changes, until ctx ends; it
// then returns, with any result, as soon as it can. It runs at most once per key
// at a time, and concurrently for different keys. set may be called from any
// goroutine until Watch returns; values must not be written to after they were
// given to it.
//
//   - set(Ok(v)) publishes v; set(Ok(v).At(version)) also says which version of
//     the source's that is. A v that is deeply equal to the one before only confirms
//     it: nobody is woken up, so a poll may report whatever it finds.
//   - set(Failed(err)) reports a problem. The last good value stays, marked stale;
//     without one the observers see the failure.
//   - set of a pending State is ignored: what was known stays known.
//
// When Watch returns before ctx has ended it is started again after a jittered
// delay that doubles up to a limit and starts anew once a value was published. An error that it
// returns is reported as by set(Failed(err)). Nil means that the watch ended in
// order, such as a stream that its server closes now and then: what was known
// holds. A Watch that has nothing more to say waits for ctx.
type Watcher[K comparable, T any] interface {
	Watch(ctx context.Context, key K, set func(State[T])) error
}

// WatchFunc adapts a function to a Watcher.
type WatchFunc[K comparable, T any] func(ctx context.Context, key K, set func(State[T])) error

// Watch implements Watcher.
func (f WatchFunc[K, T]) Watch(ctx context.Context, key K, set func(State[T])) error {
	return f(ctx, key, set)
}
