package http1

import (
	"sync"
	"time"
)

// What a watch is doing.
const (
	watchOff uint8 = iota
	watchArmed
	watchReading
)

// watch finds out that a caller is gone while its request is under way: when that takes
// long, it looks at the socket now and then or, where there is none that could be looked
// at, reads a byte from the connection. Fast requests cost it a timer that is set and
// stopped.
type watch struct {
	c     *serverConn
	timer *time.Timer // nil until the first request
	mu    sync.Mutex
	ended sync.Cond // the read has ended
	doing uint8
	dead  bool
	pause time.Duration // until the next look at the socket
}

// mostPause is the longest time between two looks at a socket, which are half as far
// from each other as the request has been under way.
const mostPause = 250 * time.Millisecond

func (w *watch) init(c *serverConn) {
	w.c = c
	w.ended.L = &w.mu
}

// arm begins to watch, in a while. Nobody may read from the connection until disarm
// returned. It does nothing after disarm of the same request, which the caller sees to.
func (w *watch) arm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.doing != watchOff || w.dead || w.c.pending {
		return
	}
	w.doing, w.pause = watchArmed, w.c.srv.o.Hangup
	if w.timer == nil {
		w.timer = time.AfterFunc(w.c.srv.o.Hangup, w.look)
		return
	}
	w.timer.Reset(w.c.srv.o.Hangup)
}

// disarm ends it.
func (w *watch) disarm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch w.doing {
	case watchOff:
		return
	case watchArmed:
		// If the timer has gone off already, look finds that nothing is to be done; or that
		// the next request is to be watched, a little early.
		w.timer.Stop()
		w.doing = watchOff
		return
	}
	w.c.deadline.interrupt()
	for w.doing == watchReading {
		w.ended.Wait()
	}
	w.c.deadline.resume()
}

// close ends it for good.
func (w *watch) close() {
	w.mu.Lock()
	w.dead = true
	w.mu.Unlock()
	w.disarm()
}

// look runs on the timer's goroutine.
func (w *watch) look() {
	w.mu.Lock()
	if w.doing != watchArmed {
		w.mu.Unlock()
		return
	}
	c := w.c
	if s := c.deadline.socket; s != nil {
		if gone, ok := s.HungUp(); ok {
			if gone {
				w.doing = watchOff
			} else {
				w.timer.Reset(w.pause)
				w.pause = min(2*w.pause, mostPause)
			}
			w.mu.Unlock()
			if gone {
				c.hungUp()
			}
			return
		}
	}
	w.doing = watchReading
	w.mu.Unlock()
	n, err := c.deadline.read(c.one[:], time.Time{})
	if n > 0 {
		c.received(1)
		c.pending = true // the caller sends its next request already: it is there
	} else if err != nil && !isDeadline(err) {
		c.hungUp()
	}
	w.mu.Lock()
	w.doing = watchOff
	w.ended.Broadcast()
	w.mu.Unlock()
}
