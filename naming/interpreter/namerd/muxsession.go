package namerd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/remote"
)

// muxWriteTimeout is how long a message may take to get into the operating system's
// hands. A peer that reads nothing for so long is not there.
const muxWriteTimeout = 4 * time.Second

// muxSession is the client's side of a mux connection: any number of outstanding
// requests, each with a tag of its own. It begins without a handshake, as servers
// allow, so there are no fragments of its messages. It is safe for concurrent use.
type muxSession struct {
	remote.Life
	conn net.Conn
	wg   sync.WaitGroup

	write sync.Mutex // one frame at a time

	mu      sync.Mutex // guards what follows
	waiting map[uint32]chan<- muxAnswer
	last    uint32 // the tag given out last
	pings   []chan<- struct{}
	partial map[uint32][]byte // fragments
	partLen int
}

// muxAnswer is what became of a request.
type muxAnswer struct {
	status byte
	body   []byte
	err    error
}

// muxNackError says that the server did not begin to handle a request.
var errMuxNack = errors.New("namerd does not take requests at the moment")

// newMuxSession begins a session on conn, which it owns.
func newMuxSession(conn net.Conn) *muxSession {
	s := &muxSession{
		Life: remote.NewLife(), conn: conn,
		waiting: map[uint32]chan<- muxAnswer{}, last: muxFirstTag - 1, partial: map[uint32][]byte{},
	}
	s.wg.Go(s.read)
	context.AfterFunc(s.Context(), func() { _ = conn.Close() })
	return s
}

// Close implements remote.Session.
func (s *muxSession) Close() error {
	s.End(naming.ErrClosed)
	_ = s.conn.Close()
	s.wg.Wait()
	return nil
}

// call sends a request and waits for the answer. If ctx ends first, the server is
// told that nobody waits any more.
func (s *muxSession) call(ctx context.Context, body []byte) ([]byte, error) {
	answer := make(chan muxAnswer, 1)
	tag, err := s.tag(answer)
	if err != nil {
		return nil, err
	}
	s.send(muxFrame{typ: muxTdispatch, tag: tag, body: muxDispatch(body)})
	select {
	case a := <-answer:
		switch {
		case a.err != nil:
			return nil, a.err
		case a.status == muxOK:
			return a.body, nil
		case a.status == muxNack:
			return nil, &remote.CutError{Err: errMuxNack}
		default:
			return nil, fmt.Errorf("namerd: %s", a.body)
		}
	case <-s.Context().Done():
		return nil, context.Cause(s.Context())
	case <-ctx.Done():
		s.abandon(tag)
		return nil, context.Cause(ctx)
	}
}

// tag gives out a tag that is not in use.
func (s *muxSession) tag(answer chan<- muxAnswer) (uint32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range muxLastTag - muxFirstTag + 1 {
		if s.last++; s.last > muxLastTag {
			s.last = muxFirstTag
		}
		if _, used := s.waiting[s.last]; !used {
			s.waiting[s.last] = answer
			return s.last, nil
		}
	}
	return 0, errors.New("mux: all tags are in use")
}

// abandon tells the server that nobody waits for the answer. The tag is in use
// until the server has confirmed that, or answered all the same.
func (s *muxSession) abandon(tag uint32) {
	s.mu.Lock()
	_, open := s.waiting[tag]
	if open {
		s.waiting[tag] = nil
	}
	s.mu.Unlock()
	if open {
		body := append([]byte{byte(tag >> 16), byte(tag >> 8), byte(tag)}, "abandoned"...) //nolint:gosec // its three bytes
		s.send(muxFrame{typ: muxTdiscarded, body: body})
	}
}

// Ping implements remote.Session.
func (s *muxSession) Ping(ctx context.Context) error {
	pong := make(chan struct{})
	s.mu.Lock()
	s.pings = append(s.pings, pong)
	s.mu.Unlock()
	s.send(muxFrame{typ: muxTping, tag: muxControlTag})
	select {
	case <-pong:
		return nil
	case <-s.Context().Done():
		return context.Cause(s.Context())
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// send writes a frame; if that fails the session has ended.
func (s *muxSession) send(f muxFrame) {
	s.write.Lock()
	defer s.write.Unlock()
	err := s.conn.SetWriteDeadline(time.Now().Add(muxWriteTimeout))
	if err == nil {
		_, err = s.conn.Write(f.bytes())
	}
	if err != nil {
		s.End(err)
	}
}

// read is the goroutine that reads the connection.
func (s *muxSession) read() {
	r := bufio.NewReaderSize(s.conn, 16<<10)
	for {
		f, err := readMuxFrame(r)
		if err == nil {
			err = s.handle(f)
		}
		if errors.Is(err, io.EOF) {
			err = errors.New("namerd closed the connection")
		}
		if err != nil {
			s.End(err)
			return
		}
	}
}

// handle handles one frame. An error ends the session.
func (s *muxSession) handle(f muxFrame) error {
	switch f.typ {
	case muxRdispatch:
		whole, ok, err := s.assemble(f)
		if err != nil || !ok {
			return err
		}
		var a muxAnswer
		if a.status, a.body, err = muxReply(whole); err != nil {
			return err
		}
		s.answer(f.tag&^muxFragment, a)
	case muxRerr, muxRerrOfOld:
		s.answer(f.tag, muxAnswer{err: fmt.Errorf("namerd: mux: %s", f.body)})
	case muxRdiscarded:
		s.answer(f.tag, muxAnswer{err: errors.New("namerd: the request was discarded")})
	case muxRping:
		s.pong()
	case muxTping:
		s.send(muxFrame{typ: muxRping, tag: f.tag})
	case muxTdrain:
		s.send(muxFrame{typ: muxRdrain, tag: f.tag})
		// Long polls are never done, so there is nothing to wait for.
		return errors.New("namerd is closing the connection")
	case muxTlease:
		// Says for how long the server would like requests; ours are long polls.
	default:
		return fmt.Errorf("mux: a message of type %d, which a server does not send", f.typ)
	}
	return nil
}

// assemble returns the whole message once its last fragment is there.
func (s *muxSession) assemble(f muxFrame) (whole []byte, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tag := f.tag &^ muxFragment
	before, some := s.partial[tag]
	if f.tag == tag && !some {
		return f.body, true, nil
	}
	if s.partLen += len(f.body); s.partLen > muxMaxMessage {
		return nil, false, fmt.Errorf("mux: fragments of more than %d bytes", muxMaxMessage)
	}
	whole = append(before, f.body...) //nolint:gocritic // the fragments before are ours
	if f.tag != tag {
		if _, asked := s.waiting[tag]; !asked {
			return nil, false, fmt.Errorf("mux: a fragment with the tag %d, which is not in use", tag)
		}
		s.partial[tag] = whole
		return nil, false, nil
	}
	delete(s.partial, tag)
	s.partLen -= len(whole)
	return whole, true, nil
}

// answer hands a to who waits for it, if anybody does, and frees the tag.
func (s *muxSession) answer(tag uint32, a muxAnswer) {
	s.mu.Lock()
	to := s.waiting[tag]
	delete(s.waiting, tag)
	s.mu.Unlock()
	if to != nil {
		to <- a
	}
}

// pong answers the oldest ping.
func (s *muxSession) pong() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pings) > 0 {
		close(s.pings[0])
		s.pings = s.pings[1:]
	}
}
