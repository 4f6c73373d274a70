package http2

// notices are calls that the holder of a connection's lock owes when it lets go of it.
type notices struct {
	any     bool
	sent    []sentNotice
	wanted  bool // an Open was refused
	room    bool
	leaving bool
}

type sentNotice struct {
	s *Stream
	n int
}

// unlock lets go of the lock, makes the calls that are due and writes early if very much
// is buffered. Everything that may have caused notices ends with it.
func (c *Conn) unlock() {
	early := len(c.out.bytes()) > earlyBytes && !c.out.writing
	if !c.due.any {
		c.mu.Unlock()
	} else {
		due := c.due
		c.due = notices{wanted: due.wanted}
		c.mu.Unlock()
		c.tell(due)
	}
	if early {
		c.Flush()
	}
}

func (c *Conn) tell(due notices) {
	for _, d := range due.sent {
		d.s.recv.Sent(d.s, d.n)
	}
	if due.room && c.o.Room != nil {
		c.o.Room(c)
	}
	if due.leaving && c.o.Leaving != nil {
		c.o.Leaving(c)
	}
}

// moved notes that n queued bytes of s have moved on. Before Accept has returned there
// is nobody to tell yet.
func (c *Conn) moved(s *Stream, n int) {
	s.movedEarly += n
	if s.recv != nil {
		c.due.sent = append(c.due.sent, sentNotice{s, s.movedEarly})
		s.movedEarly = 0
		c.due.any = true
	}
}
