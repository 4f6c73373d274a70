package http2

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// growPause is for how long no further connection is tried beside those that there are,
// after one could not be made.
const growPause = time.Second

// Client keeps the connections to one endpoint: one that all share, and more when the
// peer's stream limit is reached or the load is more than one core's share. It is safe
// for concurrent use.
type Client struct {
	o       ClientOptions
	names   names
	heads   headPool
	buffers bufferPool

	conns   atomic.Pointer[[]*Conn] // those that take streams, oldest first; replaced under mu
	waiting atomic.Int32            // waiters that have not been served: newcomers go behind them
	growing atomic.Bool             // a dial is under way, or pointless for now

	mu      sync.Mutex
	all     map[*Conn]struct{} // conns and those that drain
	queue   []*waiter
	serving bool // a goroutine hands out connections
	again   bool // and has to look once more
	dialing bool
	pause   time.Time // no growing before
	closed  bool
	reap    *time.Timer        // closes spare connections; set while there are any
	spare   map[*Conn]struct{} // those that were idle at the last look
	dials   context.Context
	cancel  context.CancelFunc
	work    sync.WaitGroup // dials, readers and serving
}

// waiter is one who waits for a connection.
type waiter struct {
	ready func(*Conn, error)
}

// NewClient returns a Client that makes its first connection when it is needed.
func NewClient(o ClientOptions) *Client {
	c := &Client{o: o.withDefaults(), all: map[*Conn]struct{}{}}
	c.dials, c.cancel = context.WithCancel(context.Background())
	c.conns.Store(&[]*Conn{})
	return c
}

// Pick returns a connection on which a stream can be opened now, or nil: then Acquire
// waits for one. It takes no lock and does not allocate. Another caller may be faster,
// so that Open fails with ErrStreamLimit, ErrDraining or ErrClosed; call again then.
func (c *Client) Pick() *Conn {
	if c.waiting.Load() != 0 {
		return nil
	}
	conn, crowded := c.room()
	if crowded && c.growing.CompareAndSwap(false, true) {
		c.grow()
	}
	return conn
}

// room returns the first connection with less than its share, so that those behind it
// become idle when the load falls; if none has, the one with the least. crowded says
// that another connection should be made.
func (c *Client) room() (best *Conn, crowded bool) {
	conns := *c.conns.Load()
	least := 0
	for _, conn := range conns {
		n, room := conn.load()
		if !room {
			continue
		}
		if n < c.o.SpreadStreams {
			return conn, false
		}
		if best == nil || n < least {
			best, least = conn, n
		}
	}
	return best, best != nil && len(conns) < c.o.MaxConns
}

// Acquire returns a connection as Pick does. If there is none at once it returns nil,
// and ready is called once, later, from another goroutine: with a connection, or with
// a *DialError or ErrClosed. Waiters are served in their order. ready must not block
// and should open its stream before it returns, for the next waiter is counted on what
// is left then; if Open fails, call Acquire again.
//
// cancel makes that ready is not called, unless it is already being called. It is nil
// if conn is not.
func (c *Client) Acquire(ready func(*Conn, error)) (conn *Conn, cancel func()) {
	if conn := c.Pick(); conn != nil {
		return conn, nil
	}
	w := &waiter{ready: ready}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting.Add(1)
	c.queue = append(c.queue, w)
	c.serveLocked()
	return nil, func() { c.forget(w) }
}

// forget takes w out of the queue.
func (c *Client) forget(w *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.queue, w); i >= 0 {
		c.queue = slices.Delete(c.queue, i, i+1)
		c.waiting.Add(-1)
	}
}

// serveLocked has the waiters looked after, by a goroutine of their own: who makes a
// connection free may hold locks that ready needs.
func (c *Client) serveLocked() {
	if len(c.queue) == 0 {
		return
	}
	if c.serving {
		c.again = true
		return
	}
	c.serving = true
	c.work.Go(c.serve)
}

// serve gives connections to waiters until there is no more room or no more waiter.
func (c *Client) serve() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		c.again = false
		for len(c.queue) > 0 {
			var err error
			conn, crowded := c.room()
			if crowded && !time.Now().Before(c.pause) {
				c.dialLocked()
			}
			if c.closed {
				conn, err = nil, ErrClosed
			}
			if conn == nil && err == nil && !c.wantLocked() {
				break
			}
			if conn == nil && err == nil {
				continue // there is room by now
			}
			w := c.queue[0]
			c.queue[0] = nil
			c.queue = c.queue[1:]
			c.mu.Unlock()
			w.ready(conn, err)
			c.waiting.Add(-1)
			c.mu.Lock()
		}
		if !c.again || len(c.queue) == 0 {
			c.serving = false
			return
		}
	}
}

// wantLocked asks the connections to say when they have room, and makes another one if
// that is allowed. It returns true if there is room already.
func (c *Client) wantLocked() bool {
	conns := *c.conns.Load()
	for _, conn := range conns {
		if conn.wantRoom() {
			return true
		}
	}
	if len(conns) == 0 || len(conns) < c.o.MaxConns && !time.Now().Before(c.pause) {
		c.dialLocked()
	}
	return false
}

// changed has the waiters looked after because there may be room.
func (c *Client) changed() {
	if c.waiting.Load() == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.serveLocked()
}

// Drain makes the connections take no more streams and close when those that they have
// end. Acquire fails with ErrClosed from now on. It does not wait.
func (c *Client) Drain() {
	c.mu.Lock()
	c.closed = true
	c.cancel()
	if c.reap != nil {
		c.reap.Stop()
	}
	c.conns.Store(&[]*Conn{})
	conns := make([]*Conn, 0, len(c.all))
	for conn := range c.all {
		conns = append(conns, conn)
	}
	c.serveLocked()
	c.mu.Unlock()
	for _, conn := range conns {
		conn.Drain()
	}
}

// Close drains the connections and waits until the last stream has ended and the
// Client's goroutines have.
func (c *Client) Close() error { return c.Shutdown(context.Background()) }

// Shutdown is Close, but when ctx ends the streams that are left are cut off; then it
// returns ctx's error.
func (c *Client) Shutdown(ctx context.Context) error {
	c.Drain()
	done := make(chan struct{})
	go func() {
		c.work.Wait()
		close(done)
	}()
	var err error
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	}
	c.mu.Lock()
	conns := make([]*Conn, 0, len(c.all))
	for conn := range c.all {
		conns = append(conns, conn)
	}
	c.mu.Unlock()
	for _, conn := range conns {
		err = errors.Join(err, conn.Close())
	}
	<-done
	return err
}

// CloseIdle drains the connections that have no streams.
func (c *Client) CloseIdle() {
	for _, conn := range *c.conns.Load() {
		if conn.Streams() == 0 {
			conn.Drain()
		}
	}
}

// Stats returns how many connections there are, those that drain included, and how many
// of them have no streams.
func (c *Client) Stats() (open, idle int) {
	c.mu.Lock()
	conns := make([]*Conn, 0, len(c.all))
	for conn := range c.all {
		conns = append(conns, conn)
	}
	c.mu.Unlock()
	for _, conn := range conns {
		if conn.Streams() == 0 {
			idle++
		}
	}
	return len(conns), idle
}

// Conns returns the number of connections, those that drain included.
func (c *Client) Conns() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.all)
}
