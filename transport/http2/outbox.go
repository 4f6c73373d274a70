package http2

import (
	"sync"
)

// outbox is what a connection has to write. It is looked after by the connection's lock.
type outbox struct {
	sink    sink
	pool    *Buffers
	buf     *buffer // nil: empty
	total   int64   // bytes that were ever appended
	handed  int64   // bytes of them that were handed to the sink
	writing bool    // somebody is using the sink; they look for more when they have done
	failed  bool
	closed  bool           // nobody begins to use the sink any more
	sent    func(n int64)  // nil: nobody counts
	rest    sync.WaitGroup // whoever uses the sink
}

const (
	// earlyBytes: more than that is written without waiting for the reader's pause.
	earlyBytes = 64 << 10
	// dataBytes: data waits in its streams when that much is in the buffer, which keeps
	// control frames and small streams ahead of large ones.
	dataBytes = 64 << 10
	// mostBytes: a peer that makes this side answer and does not take the answers is cut.
	mostBytes = 4 << 20
)

func (o *outbox) bytes() []byte {
	if o.buf == nil {
		return nil
	}
	return o.buf.b
}

func (o *outbox) size() int { return len(o.bytes()) }

// open returns the buffer to append to; it is to be followed by done.
func (o *outbox) open() []byte {
	if o.buf == nil {
		o.buf = o.pool.writer()
	}
	return o.buf.b
}

func (o *outbox) done(b []byte) {
	o.total += int64(len(b) - len(o.buf.b))
	o.buf.b = b
	if o.failed {
		o.buf.b = b[:0]
	}
}

// Flush writes what is buffered. It never waits: what the socket does not take at once
// is written by a goroutine that exists only as long as there is such a rest.
func (c *Conn) Flush() {
	c.mu.Lock()
	o := &c.out
	if o.writing || o.failed || o.closed || o.size() == 0 && (!c.life.ending || c.life.shut) {
		c.unlockQuiet()
		return
	}
	o.writing = true
	o.rest.Add(1) // under the lock, for the end of the connection waits for it
	for o.size() > 0 {
		b := o.take()
		c.mu.Unlock()
		done, err := o.sink.try(b.b)
		if err == nil && !done {
			go c.writeRest(b)
			return
		}
		c.wrote(b, err)
	}
	o.writing = false
	c.written()
	o.rest.Done()
}

// take hands the buffer to the sink.
func (o *outbox) take() *buffer {
	if o.sent != nil {
		o.sent(int64(o.size()))
	}
	b := o.buf
	o.buf, o.handed = nil, o.total
	return b
}

// wrote takes the lock again after a buffer has been written.
func (c *Conn) wrote(b *buffer, err error) {
	c.o.Buffers.writerDone(b)
	c.mu.Lock()
	if err != nil {
		c.out.failed = true
		if c.out.buf != nil {
			c.out.buf.b = c.out.buf.b[:0]
		}
		c.fail(err)
		return
	}
	c.pump()
	if c.due.wanted && c.out.size() < openBytes && len(c.streams) < int(c.peer.maxStreams) {
		c.due.wanted, c.due.room, c.due.any = false, true, true
	}
}

// written lets go of the lock when everything has been written.
func (c *Conn) written() {
	if c.life.ending && c.out.size() == 0 && !c.life.shut {
		c.life.shut, c.out.writing = true, true // nobody else writes any more
		c.unlockQuiet()
		c.shut()
		return
	}
	c.unlockQuiet()
}

// unlockQuiet is unlock without writing.
func (c *Conn) unlockQuiet() {
	if !c.due.any {
		c.mu.Unlock()
		return
	}
	due := c.due
	c.due = notices{wanted: due.wanted}
	c.mu.Unlock()
	c.tell(due)
}

// writeRest waits for the socket to take what it did not take at once.
func (c *Conn) writeRest(b *buffer) {
	o := &c.out
	defer o.rest.Done()
	for {
		err := o.sink.finish(c.writeLimit)
		c.wrote(b, err)
		if err != nil || o.size() == 0 {
			o.writing = false
			c.written()
			return
		}
		b = o.take()
		due := c.due
		c.due = notices{wanted: due.wanted}
		c.mu.Unlock()
		c.tell(due)
		done, err := o.sink.try(b.b)
		if err != nil {
			c.wrote(b, err)
			o.writing = false
			c.written()
			return
		}
		_ = done // finish has nothing to do then
	}
}
