package http1

import (
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft/internal/rawio"
)

// readDeadline reads from a connection with a deadline that is moved as seldom as may
// be: one that lies earlier than it should is left where it is, and moved when it has
// passed. A busy connection so moves it once in a while instead of with each request.
// Only interrupt and restrict may be called by other goroutines than the reader's.
type readDeadline struct {
	nc          net.Conn
	socket      *rawio.Socket // rw, if it is one
	room        func() []byte // where it reads to if read is given no place
	none        func()        // called before it waits then
	rw          io.ReadWriter // reads and writes nc
	set         time.Time     // what the connection has; zero: none
	passed      bool          // set has passed, or was overwritten: it has to be moved
	interrupted atomic.Bool
	limit       atomic.Int64 // what the handler asked for, in Unix nanoseconds; zero: nothing
}

// read reads once, or returns an error if by has passed; zero never passes. Without a
// place to read to, which is for sockets only, room is asked for one.
func (d *readDeadline) read(p []byte, latest time.Time) (int, error) {
	for {
		limit := d.limit.Load()
		by := latest
		if at := time.Unix(0, limit); limit != 0 && (by.IsZero() || at.Before(by)) {
			by = at
		}
		if d.passed || !by.IsZero() && (d.set.IsZero() || by.Before(d.set)) {
			if err := d.move(by); err != nil {
				return 0, err
			}
			if d.limit.Load() != limit {
				d.passed = true
				continue
			}
		}
		n, err := d.once(p)
		if n > 0 {
			return n, nil // an error comes again
		}
		if err == nil || !isDeadline(err) {
			return 0, err
		}
		d.passed = true
		if d.interrupted.Load() || !by.IsZero() && !time.Now().Before(by) {
			return 0, err
		}
	}
}

func (d *readDeadline) once(p []byte) (int, error) {
	if p == nil {
		return d.socket.ReadInto(d.room, d.none)
	}
	return d.rw.Read(p)
}

// move sets the deadline of the connection.
func (d *readDeadline) move(by time.Time) error {
	if err := d.nc.SetReadDeadline(by); err != nil {
		return err
	}
	d.set, d.passed = by, false
	// Asked after the deadline was moved: an interruption that it does not see moves the
	// deadline once more.
	if d.interrupted.Load() {
		d.passed = true
		return os.ErrDeadlineExceeded
	}
	return nil
}

// clear leaves the connection without a deadline, for who reads from it directly.
func (d *readDeadline) clear() error {
	if d.set.IsZero() && !d.passed {
		return nil
	}
	return d.move(time.Time{})
}

// restrict has reads end at a time, until it is called again; the zero time does away
// with that. Any goroutine may call it.
func (d *readDeadline) restrict(at time.Time) error {
	nanos := int64(0)
	if !at.IsZero() {
		nanos = max(at.UnixNano(), 1)
	}
	d.limit.Store(nanos)
	if nanos == 0 {
		at = time.Unix(1, 0) // has a read under way look again
	}
	return d.nc.SetReadDeadline(at)
}

// unrestrict is restrict with the zero time, when no read is under way.
func (d *readDeadline) unrestrict() {
	if d.limit.Load() != 0 {
		d.limit.Store(0)
		d.passed = true
	}
}

// interrupt ends a read that is under way or about to begin, until resume.
func (d *readDeadline) interrupt() {
	d.interrupted.Store(true)
	_ = d.nc.SetReadDeadline(time.Unix(1, 0)) // it fails on closed connections only
}

// resume undoes interrupt, when no read is under way any more.
func (d *readDeadline) resume() {
	d.interrupted.Store(false)
	d.passed = true
}
