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
	requests int64         // whose head was read
	traffic  traffic
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
		c.traffic.failedRead(&HandshakeError{Err: err})
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
