package http1

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft/internal/rawio"
)

// What a serverConn is doing, as far as Shutdown is concerned.
const (
	connIdle   int32 = iota // no byte of a request has come: it may be closed at any time
	connActive              // a request, or another protocol, is under way
	connClosed              // Shutdown has closed it while it was idle
)

// idleGrace is how long a connection keeps its goroutine, whose stack has grown, without
// a byte coming.
const idleGrace = 100 * time.Millisecond

// preface is how HTTP/2 begins (RFC 9113 §3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// serverConn is a connection of a Server. All of it belongs to the goroutine that serves
// it, but for what Shutdown, a watch for the caller's end and the reader of a body use,
// as said there.
type serverConn struct {
	srv    *Server
	nc     net.Conn
	tcp    *net.TCPConn // nc, if it is plain TCP, which the kernel can splice
	tls    *tls.ConnectionState
	remote string
	ended  chan<- struct{} // closed at its end; nil: nobody waits for that
	born   time.Time
	ends   time.Time // of its life; zero: none
	idle   time.Time // since when
	reason CloseReason

	state   atomic.Int32
	session atomic.Pointer[Session]

	ctx    connContext
	cancel context.CancelFunc
	unhook func() bool // has the end of ctx not fire hang any more
	hang   hangup
	watch  watch

	base     *http.Request // what those of the connection are copied from: it has the context
	work     *workspace    // nil while nothing has come for a while
	served   bool          // a request has been read
	hijacked bool

	deadline readDeadline
	one      [1]byte // what was read while there was nobody to give it to
	pending  bool    // it holds something
}

func newServerConn(s *Server, nc net.Conn) *serverConn {
	c := &serverConn{srv: s, nc: nc, born: time.Now()}
	c.tcp, _ = nc.(*net.TCPConn)
	c.idle = c.born
	if s.o.LifeTime > 0 {
		c.ends = c.born.Add(s.o.LifeTime)
	}
	c.deadline.nc, c.deadline.rw = nc, readWriter(nc)
	if c.deadline.socket, _ = c.deadline.rw.(*rawio.Socket); c.deadline.socket != nil {
		c.deadline.room, c.deadline.none = c.room, c.rest
	}
	return c
}

// serve serves the connection to its end.
func (c *serverConn) serve() {
	base := context.Background()
	if c.srv.o.BaseContext != nil {
		base = c.srv.o.BaseContext(base, c.nc)
	}
	base, c.cancel = context.WithCancel(base)
	c.ctx = connContext{Context: base, local: c.nc.LocalAddr(), hang: &c.hang}
	c.hang.done = base.Done()
	c.unhook = context.AfterFunc(base, c.hang.fire)
	c.watch.init(c)
	if a := c.nc.RemoteAddr(); a != nil {
		c.remote = a.String()
	}
	if secure, ok := c.nc.(*tls.Conn); ok && !c.handshake(secure) {
		c.end()
		return
	}
	if c.tls != nil && c.tls.NegotiatedProtocol == "h2" && c.srv.o.Preface != nil {
		c.other(nil)
		return
	}
	c.run()
}

// handshake makes the TLS handshake.
func (c *serverConn) handshake(secure *tls.Conn) bool {
	ctx, cancel := context.WithTimeout(&c.ctx, c.srv.o.HeadTimeout)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		if re, ok := errors.AsType[tls.RecordHeaderError](err); ok && re.Conn != nil && isRequest(re.RecordHeader[:]) {
			_, _ = re.Conn.Write([]byte("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 48\r\nConnection: close\r\n\r\n" +
				"Client sent an HTTP request to an HTTPS server.\n")) // he is not owed more
		}
		return false // an alert has told other callers
	}
	state := secure.ConnectionState()
	c.tls = &state
	return true
}

// isRequest reports whether what came instead of a TLS record is the beginning of an
// HTTP request.
func isRequest(begin []byte) bool {
	switch string(begin) {
	case "GET /", "HEAD ", "POST ", "PUT /", "PATCH", "DELET", "OPTIO", "TRACE", "CONNE":
		return true
	}
	return false
}

// other hands the connection to another protocol, with what was read of it.
func (c *serverConn) other(head []byte) {
	defer c.end()
	if !c.state.CompareAndSwap(connIdle, connActive) && c.state.Load() != connActive {
		return
	}
	if c.deadline.clear() != nil {
		return
	}
	session := c.srv.o.Preface(&Replayed{Conn: c.nc, head: bytes.Clone(head)})
	c.detach()
	if session == nil {
		return
	}
	c.session.Store(&session)
	if c.srv.draining.Load() {
		session.Drain()
	}
	_ = session.Serve() // it is the session's to log
}

// run serves requests until the connection ends, or is idle for so long that it is
// better off without buffers.
func (c *serverConn) run() {
	for {
		switch c.await() {
		case gone:
			c.end()
			return
		case quiet:
			// A new goroutine has a small stack. This one's has grown in the handler.
			c.detach()
			go c.doze()
			return
		case foreign:
			c.other(c.work.reader.buffered())
			return
		case ready:
		}
		if !c.serveOne() {
			c.end()
			return
		}
		c.idle = time.Now()
		c.state.Store(connIdle)
		if c.srv.draining.Load() {
			c.end()
			return
		}
	}
}

// doze waits for a byte without a buffer.
func (c *serverConn) doze() {
	var err error
	if c.deadline.socket != nil {
		err = c.first(c.idleEnd(0))
	} else if _, err = c.deadline.read(c.one[:], c.idleEnd(0)); err == nil {
		c.received(1)
		c.pending = true
	}
	if err != nil {
		c.gone(err)
		c.end()
		return
	}
	c.run()
}

// idleEnd returns when to stop waiting for a request: after grace, if that is not zero,
// when it has been idle for too long, or when its life is over.
func (c *serverConn) idleEnd(grace time.Duration) time.Time {
	var at time.Time
	if grace > 0 {
		at = c.idle.Add(grace)
	}
	if t := c.srv.o.IdleTimeout; t > 0 && (at.IsZero() || t < grace) {
		at = c.idle.Add(t)
	}
	if !c.ends.IsZero() && (at.IsZero() || c.ends.Before(at)) {
		at = c.ends
	}
	return at
}

// gone sorts out why nothing came.
func (c *serverConn) gone(err error) {
	if !isDeadline(err) {
		return
	}
	if now := time.Now(); !c.ends.IsZero() && !now.Before(c.ends) {
		c.reason = ClosedByLife
	} else {
		c.reason = ClosedIdle
	}
}

// What await found.
type found uint8

const (
	gone    found = iota // the connection has ended
	quiet                // nothing came
	ready                // the first byte of a request
	foreign              // the preface of HTTP/2
)

// await waits for the first bytes of a request.
func (c *serverConn) await() found {
	if c.work == nil || len(c.work.reader.buffered()) == 0 {
		if err := c.first(c.idleEnd(idleGrace)); err != nil {
			if now := time.Now(); isDeadline(err) && !c.over(now) {
				return quiet
			}
			c.gone(err)
			return gone
		}
	}
	if !c.state.CompareAndSwap(connIdle, connActive) {
		return gone
	}
	r := &c.work.reader
	c.work.by = time.Time{}
	c.work.inHead = true
	if !c.served {
		c.served = true
		if c.srv.o.Preface != nil && c.tls == nil && c.beginsWith(preface) {
			return foreign
		}
	}
	// RFC 9112 §2.2: one empty line is ignored, which old browsers send after a body.
	if c.beginsWith("\r\n") {
		r.take(2)
		if len(r.buffered()) == 0 {
			c.work.inHead = false
			c.state.Store(connIdle)
			if c.srv.draining.Load() {
				return gone
			}
			return c.await()
		}
	}
	return ready
}

// first reads the first bytes of a request. While it waits for them at a socket, the
// connection has neither buffers nor anything else of a request: those are used by
// connections that have something to do, and are in the processor's cache for that.
func (c *serverConn) first(by time.Time) error {
	if c.deadline.socket == nil || c.pending {
		if c.work == nil {
			c.attach()
		}
		c.work.by = by
		return c.work.reader.fill()
	}
	n, err := c.deadline.read(nil, by)
	if err != nil {
		return err
	}
	c.received(int64(n))
	c.work.reader.w = n
	return nil
}

// room returns where to read the first bytes to.
func (c *serverConn) room() []byte {
	if c.work == nil {
		c.attach()
	}
	r := &c.work.reader
	if r.buf == nil {
		r.buf = make([]byte, bufferSize)
	}
	r.r, r.w = 0, 0
	return r.buf
}

// rest gives the workspace back for as long as nothing comes.
func (c *serverConn) rest() {
	w := c.work
	if w == nil {
		return
	}
	c.work = nil
	if len(w.reader.buf) > keepBuffer {
		w.reader.buf = nil
	}
	w.by, w.inHead, w.inBody = time.Time{}, false, false
	c.srv.workspaces.Put(w)
}

// over reports whether an idle connection is to be closed.
func (c *serverConn) over(now time.Time) bool {
	t := c.srv.o.IdleTimeout
	return t > 0 && now.Sub(c.idle) >= t || !c.ends.IsZero() && !now.Before(c.ends)
}

// beginsWith reports whether the request begins with text, waiting for more of it as long
// as it may.
func (c *serverConn) beginsWith(text string) bool {
	r := &c.work.reader
	for {
		have := r.buffered()
		n := min(len(have), len(text))
		if string(have[:n]) != text[:n] {
			return false
		}
		if n == len(text) {
			return true
		}
		if r.fill() != nil {
			return false // whoever reads next hears of it
		}
	}
}

// Read reads for the reader of heads and bodies. With a body, it may be another goroutine
// than the connection's, but never two at a time.
func (c *serverConn) Read(p []byte) (int, error) {
	if c.pending {
		c.pending = false
		p[0] = c.one[0]
		return 1, nil
	}
	w := c.work
	switch {
	case w.inHead && w.by.IsZero():
		// The first read of a head is that which ended the wait for it. Most heads need no
		// other, and no look at the clock.
		w.by = time.Now().Add(c.srv.o.HeadTimeout)
	case w.inBody && c.srv.o.ReadTimeout > 0:
		at := time.Now().Add(c.srv.o.ReadTimeout)
		if w.by.IsZero() || at.Before(w.by) {
			return c.receive(p, at)
		}
	}
	return c.receive(p, w.by)
}

func (c *serverConn) receive(p []byte, by time.Time) (int, error) {
	n, err := c.deadline.read(p, by)
	c.received(int64(n))
	return n, err
}

func (c *serverConn) received(n int64) {
	if n > 0 && c.srv.o.Observer.Received != nil {
		c.srv.o.Observer.Received(n)
	}
}

// write writes p, then q and r if there are any, in one system call where the connection
// can.
func (c *serverConn) write(p, q, r []byte) error {
	if t := c.srv.o.WriteTimeout; t > 0 {
		if err := c.nc.SetWriteDeadline(time.Now().Add(t)); err != nil {
			return err
		}
	}
	var n int64
	var err error
	if q == nil {
		var m int
		m, err = c.deadline.rw.Write(p)
		n = int64(m)
	} else {
		c.work.vector = [3][]byte{p, q, r}
		c.work.buffers = c.work.vector[:]
		n, err = c.work.buffers.WriteTo(c.nc)
		c.work.vector = [3][]byte{}
	}
	c.sent(n)
	return err
}

func (c *serverConn) sent(n int64) {
	if n > 0 && c.srv.o.Observer.Sent != nil {
		c.srv.o.Observer.Sent(n)
	}
}

// attach gives the connection what it needs to read and write.
func (c *serverConn) attach() {
	w, ok := c.srv.workspaces.Get().(*workspace)
	if !ok {
		w = &workspace{}
	}
	c.work = w
	w.reader.src = c
}

// detach gives it back. What has been read is lost.
func (c *serverConn) detach() {
	w := c.work
	if w == nil {
		return
	}
	c.work = nil
	w.clear()
	c.srv.workspaces.Put(w)
}

// hungUp tells the handler that the caller is gone.
func (c *serverConn) hungUp() {
	c.cancel()
	c.hang.fire()
}

// end ends the connection and all that was for it.
func (c *serverConn) end() {
	if c.ended != nil {
		defer close(c.ended)
	}
	if c.hijacked {
		c.cancel()
		return
	}
	c.unhook()
	c.cancel()
	c.watch.close()
	c.detach()
	c.close()
	c.srv.forget(c)
}

// closeTime bounds the wait for room for the last few bytes of a TLS connection.
const closeTime = 100 * time.Millisecond

func (c *serverConn) close() {
	if _, ok := c.nc.(*tls.Conn); ok {
		// Close would wait up to 5 s for its alert to be written.
		_ = c.nc.SetWriteDeadline(time.Now().Add(closeTime))
	}
	_ = c.nc.Close() // nothing can be done about it
}

// drain closes the connection if it is idle, and has it end with the request under way
// otherwise. Any goroutine may call it.
func (c *serverConn) drain() {
	if session := c.session.Load(); session != nil {
		(*session).Drain()
		return
	}
	if c.state.CompareAndSwap(connIdle, connClosed) {
		c.close()
	}
}

// kill closes the connection. Any goroutine may call it.
func (c *serverConn) kill() {
	if c.state.Swap(connClosed) != connClosed {
		c.close()
	}
}

// isDeadline reports whether err is that of a deadline.
func isDeadline(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}

// lingering: how much of what a caller still sends is read, and for how long, so that it
// sees an answer that it did not expect, instead of a reset.
const (
	lingerPause = time.Second
	lingerTime  = 5 * time.Second
)

// linger ends the sending half, and reads until the caller has seen that.
func (c *serverConn) linger() {
	half := c.nc
	if secure, ok := half.(*tls.Conn); ok {
		_ = secure.SetWriteDeadline(time.Now().Add(closeTime))
		_ = secure.CloseWrite() // the connection is closed next
		half = secure.NetConn()
	}
	w, ok := half.(interface{ CloseWrite() error })
	if !ok || w.CloseWrite() != nil {
		return
	}
	c.work.reader.take(len(c.work.reader.buffered()))
	buf := c.work.space()
	for until := time.Now().Add(lingerTime); ; {
		now := time.Now()
		by := now.Add(lingerPause)
		if until.Before(by) {
			by = until
		}
		if half.SetReadDeadline(by) != nil {
			return
		}
		if _, err := half.Read(buf); err != nil {
			return
		}
	}
}
