package http2

// sendRing is the streams of a connection that have queued data and window for it, in
// the order of their turns.
type sendRing struct {
	first, last *Stream
}

func (r *sendRing) empty() bool { return r.first == nil }

func (r *sendRing) push(s *Stream) {
	s.waiting, s.next = true, nil
	if r.last == nil {
		r.first = s
	} else {
		r.last.next = s
	}
	r.last = s
}

func (r *sendRing) pop() {
	s := r.first
	if r.first = s.next; r.first == nil {
		r.last = nil
	}
	s.waiting, s.next = false, nil
}

// makeReady gives the stream a turn if it has something that may go.
func (c *Conn) makeReady(s *Stream) {
	if !s.waiting && !s.gone && (len(s.queue) > 0 && s.sendWin > 0 || len(s.queue) == 0 && s.outClosing && !s.outEnd) {
		c.ready.push(s)
		c.pump()
	}
}

// pump moves queued data to the buffer, one frame of each stream in turn, until the
// buffer has enough or the connection's window is used up.
func (c *Conn) pump() {
	for !c.ready.empty() && c.out.size() < dataBytes {
		s := c.ready.first
		if s.gone {
			c.ready.pop()
			continue
		}
		n := int(min(int64(len(s.queue)), int64(c.peer.maxFrame), sendMost, s.sendWin, c.sendWin))
		if n <= 0 && len(s.queue) > 0 {
			if c.sendWin <= 0 {
				return
			}
			c.ready.pop()
			continue
		}
		c.ready.pop()
		n = max(n, 0)
		all := n == len(s.queue)
		end := all && s.outClosing
		if n > 0 || s.trailer == nil {
			c.appendData(s, s.queue[:n], end && s.trailer == nil, all)
		}
		c.queued -= int64(n)
		if n > 0 {
			c.moved(s, n)
		}
		if !all {
			s.queue = s.queue[n:]
			if s.sendWin > 0 {
				c.ready.push(s)
			}
			continue
		}
		if s.queue = s.queue[:0]; cap(s.queue) > keepIdle {
			s.queue = nil
		}
		if end {
			if s.trailer != nil {
				c.appendHead(s.id, s.trailer, true)
				s.trailer, s.outEnd = nil, true
			}
			c.ends(s)
		}
	}
}
