package memhttp

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// bufferSize is how much one side may write ahead of the other's reading, as with
// a socket's buffers.
const bufferSize = 64 << 10

// stream is one direction of a connection. Its state is read and changed under mu;
// waiting is on the channel that the next change closes, which synctest can follow.
type stream struct {
	mu      sync.Mutex
	buf     []byte
	eof     bool // the writer has ended
	reset   bool // the reader is gone: what is written has nowhere to go
	changed chan struct{}

	readBy, writeBy deadline
}

func newStream() *stream { return &stream{changed: make(chan struct{})} }

// change wakes all who wait. The caller holds mu.
func (s *stream) change() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// update changes the state and wakes all who wait.
func (s *stream) update(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	s.change()
}

func (s *stream) read(p []byte) (int, error) {
	for {
		s.mu.Lock()
		switch {
		case s.reset:
			s.mu.Unlock()
			return 0, net.ErrClosed
		case s.readBy.passed():
			s.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		case len(s.buf) > 0 || len(p) == 0:
			n := copy(p, s.buf)
			s.buf = s.buf[n:]
			s.change()
			s.mu.Unlock()
			return n, nil
		case s.eof:
			s.mu.Unlock()
			return 0, io.EOF
		}
		wait := s.changed
		s.mu.Unlock()
		<-wait
	}
}

func (s *stream) write(p []byte) (n int, err error) {
	for {
		s.mu.Lock()
		switch {
		case s.eof:
			s.mu.Unlock()
			return n, net.ErrClosed
		case s.reset:
			s.mu.Unlock()
			return n, &net.OpError{Op: "write", Net: "mem", Err: syscall.EPIPE}
		case s.writeBy.passed():
			s.mu.Unlock()
			return n, os.ErrDeadlineExceeded
		}
		if free := bufferSize - len(s.buf); free > 0 {
			k := min(free, len(p)-n)
			s.buf = append(s.buf, p[n:n+k]...)
			n += k
			s.change()
		}
		if n == len(p) {
			s.mu.Unlock()
			return n, nil
		}
		wait := s.changed
		s.mu.Unlock()
		<-wait
	}
}

// deadline is when waiting ends. It is changed under the stream's mu.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

// set moves the deadline and arranges for a wake-up at it.
func (d *deadline) set(at time.Time, s *stream) {
	s.update(func() {
		if d.timer != nil {
			d.timer.Stop()
			d.timer = nil
		}
		d.at = at
		if wait := time.Until(at); !at.IsZero() && wait > 0 {
			d.timer = time.AfterFunc(wait, func() { s.update(func() {}) })
		}
	})
}
