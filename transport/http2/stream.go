package http2

import (
	"time"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Stream is one stream of a connection. It may be used from any goroutine; the order of
// what is sent is the order of the calls. What is sent waits in the connection's buffer:
// for events of the connection itself the reader flushes it, elsewhere Flush or
// FlushAfter is to be called.
//
// A stream whose response ended before its request did stays open: whoever does not want
// the rest calls Reset with NO_ERROR.
type Stream struct {
	conn *Conn
	id   uint32

	// The reader's own.
	bodyLeft int64 // what content-length still promises; -1: nothing is promised
	gotHead  bool  // client: the final response head has come
	noBody   bool  // client: HEAD, or a status without content
	openedAt time.Duration

	// Looked after by the connection's lock.
	recv       Receiver
	inEnd      bool // the peer has ended its side
	outEnd     bool // END_STREAM has been appended to the buffer
	outClosing bool // the end has been given and waits behind the queue
	headDone   bool // our final head has been sent
	gone       bool // not in the table any more
	connect    bool // CONNECT
	waiting    bool // in the ready ring
	headAt     int64
	sendWin    int64
	recvWin    int64
	held       int // received and not consumed
	back       int // consumed and not yet given back to the peer
	movedEarly int // moved before there was a receiver
	queue      []byte
	trailer    []hpack.HeaderField // after the queue
	next       *Stream             // in the ready ring
}

// Conn returns the connection.
func (s *Stream) Conn() *Conn { return s.conn }

// ID returns the stream's id.
func (s *Stream) ID() uint32 { return s.id }

// Queued returns how many bytes of data wait in the stream.
func (s *Stream) Queued() int {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	return len(s.queue)
}

// sendable says why nothing more can be sent.
func (s *Stream) sendable() error {
	switch {
	case s.conn.life.over:
		return ErrClosed
	case s.gone || s.outEnd || s.outClosing:
		return ErrEnded
	}
	return nil
}

// SendHead sends a response head, :status first; heads of 1xx may come before the final
// one. Errors: ErrEnded, ErrClosed.
func (s *Stream) SendHead(fields []hpack.HeaderField, end bool) error {
	c := s.conn
	c.mu.Lock()
	if err := s.sendable(); err != nil || s.headDone {
		c.mu.Unlock()
		if err == nil {
			err = ErrEnded
		}
		return err
	}
	s.headDone = len(fields) == 0 || fields[0].Value == "" || fields[0].Value[0] != '1'
	c.appendHead(s.id, fields, end)
	if end {
		s.outEnd = true
		c.ends(s)
	}
	c.unlock()
	return nil
}

// SendData copies p. What windows and the connection's buffer allow is appended to the
// buffer (sent bytes); the rest waits in the stream and is reported by Sent later. end
// ends our side after p. Errors: ErrEnded, ErrClosed; *ResetError if too much waits in
// the streams of the connection: the stream has been reset then and has no more events.
func (s *Stream) SendData(p []byte, end bool) (sent int, err error) {
	c := s.conn
	c.mu.Lock()
	if err := s.sendable(); err != nil {
		c.mu.Unlock()
		return 0, err
	}
	if len(s.queue) == 0 && (len(p) == 0 || c.ready.empty()) {
		sent = c.appendNow(s, p, end)
	}
	if rest := p[sent:]; len(rest) > 0 || end && !s.outEnd {
		if c.queued+int64(len(rest)) > int64(c.o.MaxQueuedBytes) {
			c.resetLocked(s, xhttp2.ErrCodeEnhanceYourCalm)
			c.unlock()
			return sent, &ResetError{Code: xhttp2.ErrCodeEnhanceYourCalm, Reason: "too much data waits for the peer's windows"}
		}
		s.queue = append(s.queue, rest...)
		c.queued += int64(len(rest))
		s.outClosing = end
		c.makeReady(s)
	}
	c.ends(s)
	c.unlock()
	return sent, nil
}

// SendTrailer sends trailers after the queued data, which ends our side. The slice may
// be used again. Errors as SendHead.
func (s *Stream) SendTrailer(fields []hpack.HeaderField) error {
	c := s.conn
	c.mu.Lock()
	if err := s.sendable(); err != nil {
		c.mu.Unlock()
		return err
	}
	if len(s.queue) > 0 {
		s.trailer = append(make([]hpack.HeaderField, 0, len(fields)), fields...)
		s.outClosing = true
	} else {
		c.appendHead(s.id, fields, true)
		s.outEnd = true
		c.ends(s)
	}
	c.unlock()
	return nil
}

// Reset ends the stream early: queued data is dropped, and there are no more events but
// one that another goroutine may be calling just now. It does nothing if both sides have
// ended.
func (s *Stream) Reset(code xhttp2.ErrCode) {
	c := s.conn
	c.mu.Lock()
	if !s.gone {
		c.resetLocked(s, code)
	}
	c.unlock()
}

// Consume gives n bytes of the stream's receive window back; more than was received and
// not consumed counts as all of that.
func (s *Stream) Consume(n int) {
	c := s.conn
	c.mu.Lock()
	c.consume(s, n)
	c.unlock()
}
