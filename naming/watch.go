package naming

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"sync"
	"time"

	"github.com/weft-mesh/weft"
)

// watch is the watch of one key: one goroutine that runs Watch as long as there
// are observers, and the value they share. It stays in Shared.watches until its
// goroutine has decided to end, so that there is never a second one for the key:
// an observer that comes while a cancelled Watch is still on its way out makes
// the same goroutine start over.
//
// Fields below mu are guarded by the Shared's mutex, but for state, which has
// its own so that reports do not contend for it.
type watch[K comparable, T any] struct {
	s   *Shared[K, T]
	key K
	cur weft.Var[State[T]]

	observers observers
	linger    *time.Timer
	leave     context.CancelFunc // cancels the present Watch and its back-off
	left      bool               // leave was called because nobody observes

	report sync.Mutex // guards what follows and the order of stores to cur
	state  State[T]
	status WatchStatus
	good   bool // the present Watch has published a value
}

func newWatch[K comparable, T any](s *Shared[K, T], key K) *watch[K, T] {
	return &watch[K, T]{s: s, key: key, status: WatchStatus{Since: time.Now()}}
}

// join counts an observer until ctx ends. The mutex is held.
func (w *watch[K, T]) join(ctx context.Context) {
	w.stopLinger()
	o := w.observers.add()
	w.s.wg.Add(1)
	o.stop = context.AfterFunc(ctx, func() {
		defer w.s.wg.Done()
		w.s.mu.Lock()
		defer w.s.mu.Unlock()
		w.observers.remove(o)
		if w.observers.n == 0 && !w.s.closed {
			w.startLinger()
		}
	})
}

// startLinger ends the watch after the lingering time unless someone joins. The
// mutex is held.
func (w *watch[K, T]) startLinger() {
	if w.s.opts.Linger == 0 {
		w.part()
		return
	}
	var t *time.Timer
	w.s.wg.Add(1)
	t = time.AfterFunc(w.s.opts.Linger, func() {
		defer w.s.wg.Done()
		w.s.mu.Lock()
		defer w.s.mu.Unlock()
		// A timer that fired while an observer joined is not the current one any more.
		if w.linger == t {
			w.linger = nil
			w.part()
		}
	})
	w.linger = t
}

// stopLinger takes back startLinger. The mutex is held.
func (w *watch[K, T]) stopLinger() {
	if w.linger != nil && w.linger.Stop() {
		w.s.wg.Done()
	}
	w.linger = nil
}

// part cancels the running Watch for want of observers. The mutex is held.
func (w *watch[K, T]) part() {
	w.left = true
	if w.leave != nil {
		w.leave()
	}
}

// disband lets go of all observers' contexts and timers. The mutex is held.
func (w *watch[K, T]) disband() {
	w.stopLinger()
	for o := w.observers.first; o != nil; o = o.next {
		if o.stop() {
			w.s.wg.Done()
		}
	}
}

// run is the watch's goroutine.
func (w *watch[K, T]) run() {
	if f, ok := w.s.w.(FollowFunc[K, T]); ok {
		w.follow(f)
		return
	}
	logger := w.s.opts.Logger.With("key", w.key)
	backoff := w.s.opts.MinBackoff
	for {
		ctx, ok := w.begin()
		if !ok {
			return
		}
		logger.Debug("watch begins")
		err := w.s.w.Watch(ctx, w.key, func(st State[T]) { w.set(ctx, st) })
		if err != nil && ctx.Err() == nil {
			logger.Warn("watch ended, will begin again", "err", err)
			w.set(ctx, Failed[T](err))
		}
		if w.wasGood() {
			backoff = w.s.opts.MinBackoff
		}
		pause(ctx, jittered(backoff))
		if ctx.Err() != nil {
			logger.Debug("watch ends")
			backoff = w.s.opts.MinBackoff
		} else {
			backoff = min(2*backoff, w.s.opts.MaxBackoff)
		}
		w.leave() // releases ctx; later reports of this Watch are void
	}
}

// begin returns the context of the next Watch, or false when nobody wants it; the
// watch has then been taken out of the map.
func (w *watch[K, T]) begin() (context.Context, bool) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if w.s.closed || (w.left && w.observers.n == 0) {
		delete(w.s.watches, w.key)
		w.stopLinger() // an observer may have come and gone since the watch was left
		return nil, false
	}
	w.left = false
	ctx, leave := context.WithCancel(w.s.ctx)
	w.leave = leave
	return ctx, true
}

// set publishes what a Watch reports, unless that Watch's time is over: a report
// of a watch that was cancelled is as likely the cancellation's effect as news.
func (w *watch[K, T]) set(ctx context.Context, st State[T]) {
	w.report.Lock()
	defer w.report.Unlock()
	if ctx.Err() != nil || st.Pending() {
		return
	}
	if st.Known {
		w.noteGood(st.Version)
	}
	if st.Err != nil {
		w.noteFailure(st.Err)
	} else {
		w.good = true
		if w.state.Known && w.state.Err == nil && reflect.DeepEqual(st.Value, w.state.Value) {
			return // confirmed: nothing that a reader should wake up for
		}
	}
	if !st.Known {
		if w.state.Err != nil && w.state.Err.Error() == st.Err.Error() {
			return // the same trouble again
		}
		if _, answered := errors.AsType[*AnswerError](st.Err); !answered && !w.state.Known && !w.s.opts.Local {
			st.Err = &UnansweredError{st.Err}
		}
		st.Value, st.Known, st.Version = w.state.Value, w.state.Known, w.state.Version
	}
	w.state = st
	w.cur.Store(st)
}

// wasGood reports whether the Watch that has just ended published a value.
func (w *watch[K, T]) wasGood() bool {
	w.report.Lock()
	defer w.report.Unlock()
	good := w.good
	w.good = false
	return good
}

// jittered returns a random duration from d/2 to d, so that the watches of many
// proxies do not come back to a server that recovers all at once.
func jittered(d time.Duration) time.Duration {
	return d - rand.N(d/2+1)
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
