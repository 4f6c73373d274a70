package http2

import (
	"context"
	"errors"
	"slices"
	"time"
)

// grow makes another connection because those that there are have more than their
// share. The caller has set growing.
func (c *Client) grow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(*c.conns.Load()); n == 0 || n >= c.o.MaxConns || time.Now().Before(c.pause) || c.closed {
		c.growing.Store(c.dialing)
		return
	}
	c.dialLocked()
}

// dialLocked makes a connection, if none is being made.
func (c *Client) dialLocked() {
	if c.dialing || c.closed {
		return
	}
	c.dialing = true
	c.growing.Store(true)
	c.work.Go(c.dial)
}

// dial makes a connection, serves the waiters with it, and reads it to its end.
func (c *Client) dial() {
	ctx, cancel := context.WithTimeout(c.dials, c.o.DialTimeout)
	defer cancel()
	start := time.Now()
	nc, err := c.o.Dial(ctx)
	took := time.Since(start)
	if err != nil {
		c.dialFailed(err, took)
		return
	}
	o := c.o.Conn
	o.Room, o.Leaving = c.onRoom, c.onLeaving
	conn := NewClientConn(nc, o, nil)
	if c.o.Observer != nil {
		c.o.Observer.Connected(conn, took)
	}
	c.add(conn)
	err = conn.Serve()
	c.remove(conn)
	if c.o.Observer != nil {
		c.o.Observer.Disconnected(conn, err)
	}
}

// add makes conn one of those that take streams.
func (c *Client) add(conn *Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dialing = false
	c.growing.Store(false)
	c.all[conn] = struct{}{}
	if c.closed {
		_ = conn.Close() // which Serve will find
		return
	}
	conns := append(slices.Clone(*c.conns.Load()), conn)
	c.conns.Store(&conns)
	if len(conns) > 1 && c.reap == nil {
		c.reap = time.AfterFunc(c.o.SpareIdle, c.reapSpare)
	}
	c.serveLocked()
}

// dialFailed fails the waiters if there is no other connection that they could hope for.
func (c *Client) dialFailed(err error, took time.Duration) {
	var failed *DialError
	if !errors.As(err, &failed) {
		failed = &DialError{Err: err}
	}
	if c.o.Observer != nil {
		c.o.Observer.DialFailed(failed, took)
	}
	c.mu.Lock()
	c.dialing = false
	c.growing.Store(false)
	c.pause = time.Now().Add(growPause)
	if len(*c.conns.Load()) > 0 || c.closed {
		c.serveLocked()
		c.mu.Unlock()
		return
	}
	queue := c.queue
	c.queue = nil
	c.mu.Unlock()
	for _, w := range queue {
		w.ready(nil, failed)
		c.waiting.Add(-1)
	}
}

// remove forgets conn, which has ended.
func (c *Client) remove(conn *Conn) {
	c.leave(conn, true)
}

// onLeaving is a connection's Leaving.
func (c *Client) onLeaving(conn *Conn) {
	c.leave(conn, false)
	if f := c.o.Conn.Leaving; f != nil {
		f(conn)
	}
}

// onRoom is a connection's Room.
func (c *Client) onRoom(conn *Conn) {
	c.changed()
	if f := c.o.Conn.Room; f != nil {
		f(conn)
	}
}

// leave takes conn from those that take streams, and has it replaced if somebody waits.
func (c *Client) leave(conn *Conn, ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ended {
		delete(c.all, conn)
	}
	conns := *c.conns.Load()
	if i := slices.Index(conns, conn); i >= 0 {
		conns = slices.Delete(slices.Clone(conns), i, i+1)
		c.conns.Store(&conns)
		c.serveLocked()
	}
}

// reapSpare closes the connections beside the first that had no stream at two looks in
// a row.
func (c *Client) reapSpare() {
	c.mu.Lock()
	conns := *c.conns.Load()
	idle := map[*Conn]struct{}{}
	var spare []*Conn
	for i, conn := range conns {
		if i == 0 || conn.Streams() > 0 {
			continue
		}
		if _, ok := c.spare[conn]; ok {
			spare = append(spare, conn)
		} else {
			idle[conn] = struct{}{}
		}
	}
	c.spare = idle
	if len(conns)-len(spare) > 1 && !c.closed {
		c.reap.Reset(c.o.SpareIdle)
	} else {
		c.reap = nil
	}
	c.mu.Unlock()
	for _, conn := range spare {
		conn.Drain()
	}
}

// load returns the number of streams, and whether another one can be opened now.
func (c *Conn) load() (streams int, room bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.streams), c.hasRoom()
}

// wantRoom asks for Room to be called when a stream can be opened. It returns true if
// one can be now.
func (c *Conn) wantRoom() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := c.hasRoom()
	c.due.wanted = c.due.wanted || !room
	return room
}

// hasRoom says whether Open would open a stream.
func (c *Conn) hasRoom() bool {
	return !c.life.over && !c.life.draining && !c.server &&
		uint32(len(c.streams)) < c.peer.maxStreams && c.out.size() <= openBytes
}
