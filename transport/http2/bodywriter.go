package http2

import (
	"runtime"
	"sync"
	"time"

	xhttp2 "golang.org/x/net/http2"
)

const (
	writeChunk = 64 << 10 // what a writer hands to its stream at a time
	writeAhead = 32 << 10 // queued bytes above which a writer waits
)

// bodyWriter is the sending side of a stream for one who may wait: it holds back when
// the peer's windows are full, so that no more than a chunk is queued.
type bodyWriter struct {
	stream *Stream

	mu    sync.Mutex
	wake  chan struct{} // holds a token when there is news; nil: nobody has waited yet
	err   error         // why no more can be sent
	timer *time.Timer
}

// news wakes the writer.
func (w *bodyWriter) news() {
	w.mu.Lock()
	wake := w.wake
	w.mu.Unlock()
	select {
	case wake <- struct{}{}: // never, if it is nil
	default:
	}
}

// waiting returns what news wakes.
func (w *bodyWriter) waiting() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wake == nil {
		w.wake = make(chan struct{}, 1)
	}
	return w.wake
}

// stop makes the writer return err, if it has not stopped before.
func (w *bodyWriter) stop(err error) {
	w.mu.Lock()
	if w.err == nil {
		w.err = err
	}
	w.mu.Unlock()
	w.news()
}

// stopped returns why no more can be sent; nil: it can.
func (w *bodyWriter) stopped() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// write sends p, and ends the sending side after it if end. It returns when all has
// been sent but what may wait in the stream. The connection is not flushed if all was
// sent at once.
func (w *bodyWriter) write(p []byte, end bool) (int, error) {
	total := 0
	for {
		chunk := p[:min(len(p), writeChunk)]
		p = p[len(chunk):]
		if err := w.stopped(); err != nil {
			return total, err
		}
		sent, err := w.stream.SendData(chunk, end && len(p) == 0)
		if err != nil {
			if stopped := w.stopped(); stopped != nil {
				err = stopped
			}
			return total, err
		}
		total += len(chunk)
		if len(p) == 0 && (end || sent == len(chunk)) {
			return total, nil // what is queued at the end nobody needs to wait for
		}
		if err := w.room(); err != nil {
			return total, err
		}
		if len(p) == 0 {
			return total, nil
		}
	}
}

// room waits until little is queued.
func (w *bodyWriter) room() error {
	if w.stream.Queued() <= writeAhead {
		return nil
	}
	flushed, wake := false, w.waiting()
	for w.stream.Queued() > writeAhead {
		if err := w.stopped(); err != nil {
			return err
		}
		if !flushed {
			w.stream.Conn().Flush()
			flushed = true
			continue
		}
		<-wake
	}
	return nil
}

// setDeadline resets the stream at t; zero: never.
func (w *bodyWriter) setDeadline(t time.Time, expired error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	if t.IsZero() {
		return
	}
	w.timer = time.AfterFunc(time.Until(t), func() {
		w.stop(expired)
		w.stream.Reset(xhttp2.ErrCodeInternal)
		w.stream.Conn().Flush()
	})
}

// stopTimer ends the deadline's timer.
func (w *bodyWriter) stopTimer() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
}

// flushShared flushes c after others that are about to send have had a turn, so that
// what they send leaves in the same write: a system call costs more than a message.
func (c *Conn) flushShared() {
	if c.Streams() > 1 {
		runtime.Gosched()
	}
	c.Flush()
}
