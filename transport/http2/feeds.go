package http2

import (
	"slices"
	"sync"
)

// feeds are the connections that the events of one connection have written to.
type feeds struct {
	mu   sync.Mutex
	busy bool // the reader is calling events
	list []*Conn
	next []*Conn // the list after this one: two of them take turns
}

// FlushAfter has o flushed when c's reader has nothing more to read, so that frames of
// many streams leave in one write; at once if the reader is waiting now.
func (c *Conn) FlushAfter(o *Conn) {
	if o == c {
		c.feeds.mu.Lock()
		busy := c.feeds.busy
		c.feeds.mu.Unlock()
		if !busy {
			c.Flush()
		}
		return
	}
	c.feeds.mu.Lock()
	if !c.feeds.busy {
		c.feeds.mu.Unlock()
		o.Flush()
		return
	}
	if !slices.Contains(c.feeds.list, o) {
		c.feeds.list = append(c.feeds.list, o)
	}
	c.feeds.mu.Unlock()
}

func (f *feeds) begin() {
	f.mu.Lock()
	f.busy = true
	f.mu.Unlock()
}

// flush writes what the events have caused. more: the reader goes on without waiting.
func (c *Conn) flush(more bool) {
	f := &c.feeds
	f.mu.Lock()
	f.busy = more
	list := f.list
	f.list, f.next = f.next[:0], nil
	f.mu.Unlock()
	for i, o := range list {
		o.Flush()
		list[i] = nil
	}
	f.next = list // the reader's alone
	c.Flush()
}
