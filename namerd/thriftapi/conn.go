package thriftapi

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// writeTimeout is how long a message may take to get into the operating system's
// hands. A client that reads nothing for so long is not there.
const writeTimeout = 10 * time.Second

// conn is a connection of a client, in whatever protocol it speaks.
type conn struct {
	s  *Server
	nc net.Conn // as accepted, without TLS

	ctx    context.Context // ends with the connection; the parent of its calls'
	cancel context.CancelFunc
	calls  sync.WaitGroup

	reply sync.Mutex // one answer at a time is in memory as bytes
	write sync.Mutex // one frame at a time
	out   net.Conn   // with TLS if there is any

	mu      sync.Mutex
	onDrain func() // takes leave of the client, if the protocol has a way to
}

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{s: s, nc: nc, out: nc}
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	return c
}

// close cuts the connection.
func (c *conn) close() {
	c.cancel()
	_ = c.nc.Close()
}

// run serves the connection until it ends.
func (c *conn) run() {
	defer c.calls.Wait()
	defer c.close()
	stop := context.AfterFunc(c.ctx, func() { _ = c.nc.Close() })
	defer stop()
	err := c.serve()
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && c.ctx.Err() == nil {
		c.s.opts.Logger.Warn("a connection is closed", "client", c.nc.RemoteAddr().String(), "err", err)
	}
}

// serve finds out which protocol the client speaks and speaks it.
func (c *conn) serve() error {
	var err error
	if c.out, err = c.s.secure(c.nc); err != nil {
		return err
	}
	r := bufio.NewReaderSize(c.out, 16<<10)
	first, err := readFrame(r)
	if err != nil {
		return err
	}
	if isMux(first) {
		return newMuxSession(c).serve(first, r)
	}
	return newFramedSession(c).serve(first, r)
}

// drain ends the connection in order, and returns when that is done or the
// connection has ended otherwise.
func (c *conn) drain() {
	c.mu.Lock()
	f := c.onDrain
	c.mu.Unlock()
	if f != nil {
		f()
	}
	c.close()
}

// send writes bytes; if that fails the connection has ended.
func (c *conn) send(b []byte) {
	c.write.Lock()
	defer c.write.Unlock()
	err := c.out.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err == nil {
		_, err = c.out.Write(b)
	}
	if err != nil {
		c.close()
	}
}
