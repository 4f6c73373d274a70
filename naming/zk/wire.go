package zk

import (
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"time"
)

// setWatches is the operation with which a client asks for its watches anew.
const setWatches = 101

// wire is a connection as the library sees it. See client for why.
type wire struct {
	net.Conn
	c        *client
	patience time.Duration // with a server that does not say hello
	once     sync.Once

	greeted bool          // by the library's one reading goroutine at a time
	window  time.Duration // the library's patience with the present message
}

// SetReadDeadline keeps what the library wants, but for the two times at which it
// wants to wait for too long: for the hello, and for the rest of a message.
func (w *wire) SetReadDeadline(t time.Time) error {
	now := time.Now()
	switch {
	case t.IsZero():
		t = now.Add(w.window)
	case !w.greeted:
		w.greeted = true
		t = now.Add(min(w.patience, t.Sub(now)))
		w.window = t.Sub(now)
	default:
		w.window = t.Sub(now)
	}
	return w.Conn.SetReadDeadline(t)
}

// Read notes why a connection is over.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		w.c.ended(err)
	}
	return n, err
}

// Write never fails: an error closes the connection.
func (w *wire) Write(p []byte) (int, error) {
	if _, err := w.Conn.Write(p); err != nil {
		w.c.ended(err)
		w.cut()
		return len(p), nil
	}
	// A message is a length, its number, its operation and its body, in one Write.
	if len(p) >= 12 && int32(binary.BigEndian.Uint32(p[8:12])) == setWatches {
		w.c.settled()
	}
	return len(p), nil
}

// Close implements net.Conn.
func (w *wire) Close() error {
	w.cut()
	return nil
}

// cut closes the connection.
func (w *wire) cut() {
	w.once.Do(func() { _ = w.Conn.Close() }) // there is nothing to do about it
}
