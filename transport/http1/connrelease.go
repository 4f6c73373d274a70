package http1

import (
	"time"
)

// release gives the connection back, if ok and nothing else speaks against its being
// used again, and closes it otherwise.
func (t *turn) release(ok bool) {
	c := t.c
	if c == nil {
		return
	}
	t.c = nil
	if t.owner != nil {
		t.owner.attach(nil)
		t.owner = nil
	}
	ok = t.unhook(c) && ok
	// Bytes after the response are nobody's.
	if ok && !t.last && !t.head.close && int64(len(t.rd.buffered())) == t.body.left && t.body.framing != untilClose && t.settle(c) {
		c.fed = t.fed
		t.pool.put(c)
		t.putIdle()
		return
	}
	c.close()
}

// unhook takes the connection away from the request's context and from the upload, and
// reports whether neither has spoilt it.
func (t *turn) unhook(c *poolConn) bool {
	ok := true
	if t.stop != nil {
		ok = t.stop()
		t.stop = nil
	}
	if t.hang != nil {
		t.hang.unwatch(c)
		ok = !c.interrupted.Load()
		t.hang = nil
	}
	if t.up != nil {
		ok = t.up.finish() && ok
	}
	return ok
}

// settle leaves no deadline on a connection that will be idle.
func (t *turn) settle(c *poolConn) bool {
	if t.pool.o.ReadTimeout <= 0 && c.until.IsZero() {
		return !c.interrupted.Load()
	}
	return c.limitReads(time.Time{}) == nil
}
