package meshh2

import (
	"sync"
	"time"
)

// alarm wakes the exchanges of one connection. Most of them end before their time:
// so there is one timer for all, which is not touched when an exchange comes or goes
// that is not the earliest, and whoever is woken looks for what is due.
//
// Its lock is below those of exchanges.
type alarm struct {
	mu    sync.Mutex
	first *exchange // of those that are to be woken, in no order
	timer *time.Timer
	at    time.Time // when the timer fires; zero: it does not
}

// wake is an exchange's place in its connection's alarm.
type wake struct {
	at         time.Time // zero: it is not in there
	prev, next *exchange
}

// longWait is what a timer must have left to be worth stopping when nobody needs it.
const longWait = time.Minute

// set has x.fire called at a time, or earlier.
func (l *alarm) set(x *exchange, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if x.wake.at.IsZero() {
		if x.wake.next = l.first; l.first != nil {
			l.first.wake.prev = x
		}
		l.first = x
	}
	x.wake.at = at
	l.arm(at)
}

// arm makes the timer fire at a time at the latest.
func (l *alarm) arm(at time.Time) {
	switch {
	case !l.at.IsZero() && !at.Before(l.at):
		return
	case l.timer == nil:
		l.timer = time.AfterFunc(time.Until(at), l.ring)
	default:
		l.timer.Reset(time.Until(at))
	}
	l.at = at
}

// clear has x not called any more.
func (l *alarm) clear(x *exchange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(x)
	if l.first == nil && !l.at.IsZero() && time.Until(l.at) > longWait {
		l.timer.Stop()
		l.at = time.Time{}
	}
}

func (l *alarm) remove(x *exchange) {
	w := &x.wake
	if w.at.IsZero() {
		return
	}
	if w.prev != nil {
		w.prev.wake.next = w.next
	} else {
		l.first = w.next
	}
	if w.next != nil {
		w.next.wake.prev = w.prev
	}
	*w = wake{}
}

// ring wakes those whose time has come.
func (l *alarm) ring() {
	l.mu.Lock()
	l.at = time.Time{}
	now := time.Now()
	var due []*exchange
	var next time.Time
	for x := l.first; x != nil; {
		following := x.wake.next
		if now.Before(x.wake.at) {
			next = earlier(next, x.wake.at)
		} else {
			l.remove(x)
			due = append(due, x)
		}
		x = following
	}
	if !next.IsZero() {
		l.arm(next)
	}
	l.mu.Unlock()
	for _, x := range due {
		x.fire()
	}
}
