package http1

import (
	"context"
	"sync"
)

// aborter gives something up. abort is called at most once per watch, must not block,
// and must not call the hangup.
type aborter interface{ abort() }

// hangup says when the caller of a connection is gone, without a channel, a goroutine or
// an allocation for each request that wants to know. It is safe for concurrent use.
type hangup struct {
	done  <-chan struct{} // of the context that ends with it
	mu    sync.Mutex
	gone  bool
	who   []aborter
	first [2]aborter // what who begins with
}

// hangupKey is the key under which a connection's context holds its *hangup.
type hangupKey struct{}

// hangupOf returns what tells the end of ctx, if that is nothing but the end of a
// connection of a Server; nil if ctx may end otherwise, as one with a timeout.
func hangupOf(ctx context.Context) *hangup {
	h, _ := ctx.Value(hangupKey{}).(*hangup)
	if h == nil || h.done != ctx.Done() {
		return nil
	}
	return h
}

// watch has a.abort called when the caller hangs up. It returns false if that has
// happened already; then nothing is called.
func (h *hangup) watch(a aborter) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gone {
		return false
	}
	if h.who == nil {
		h.who = h.first[:0]
	}
	h.who = append(h.who, a)
	return true
}

// unwatch takes a watch back. When it returns, abort is neither running nor will it be
// called. It does nothing for what is not watched.
func (h *hangup) unwatch(a aborter) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, w := range h.who {
		if w == a {
			last := len(h.who) - 1
			h.who[i], h.who[last] = h.who[last], nil
			h.who = h.who[:last]
			return
		}
	}
}

// fire tells everybody who watches. The context's own end is not its affair.
func (h *hangup) fire() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gone = true
	for i, w := range h.who {
		h.who[i] = nil
		w.abort()
	}
	h.who = nil
}
