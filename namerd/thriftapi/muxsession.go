package thriftapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

const (
	// maxPartial is how much there may be of messages that are not complete.
	maxPartial = 4 * maxFrame

	// partialCost is what a message costs that has begun, however short it is.
	partialCost = 128
)

// muxSession is the server's side of a mux connection.
type muxSession struct {
	c *conn

	// For the goroutine that reads:
	greeted  bool              // nothing of a handshake may come any more
	probed   bool              // the client asked whether there are handshakes
	partial  map[uint32][]byte // fragments, by tag
	partLen  int
	drained  chan struct{} // closed when the client knows that it drains
	drainsOK bool          // drained is closed

	mu       sync.Mutex
	fragment int // how long the payload of a frame may be; 0 is any length
	calls    map[uint32]*muxCall
	nacking  bool // new requests are not taken any more
}

// muxCall is a request without an answer.
type muxCall struct {
	typ    int8
	cancel context.CancelFunc
}

func newMuxSession(c *conn) *muxSession {
	s := &muxSession{c: c, partial: map[uint32][]byte{}, calls: map[uint32]*muxCall{}, drained: make(chan struct{})}
	c.mu.Lock()
	c.onDrain = s.drain
	c.mu.Unlock()
	return s
}

// serve handles frames until the connection ends.
func (s *muxSession) serve(first []byte, r io.Reader) error {
	for b, err := first, error(nil); ; b, err = readFrame(r) {
		if err != nil {
			return err
		}
		if err := s.handle(muxFrameOf(b)); err != nil {
			return err
		}
	}
}

// handle handles one frame. An error ends the connection.
func (s *muxSession) handle(f muxFrame) error {
	done, err := s.greet(f)
	if done || err != nil {
		return err
	}
	if f.typ == muxTdiscarded || f.typ == muxOldDiscarded {
		return s.discard(f.body)
	}
	f, whole, err := s.assemble(f)
	if err != nil || !whole {
		return err
	}
	switch f.typ {
	case muxTdispatch, muxTreq:
		return s.dispatch(f)
	case muxTping:
		s.c.send(muxFrame{typ: muxRping, tag: f.tag}.bytes())
	case muxRdrain:
		if !s.drainsOK {
			s.drainsOK = true
			close(s.drained)
		}
	default:
		s.refuse(f.tag, fmt.Sprintf("Unexpected mux message type %d", f.typ))
	}
	return nil
}

// probe is the text of the error by which a client asks whether the server knows
// handshakes, and of the answer that it does.
const probe = "tinit check"

// greet handles what may come first, and reports whether f was that.
func (s *muxSession) greet(f muxFrame) (bool, error) {
	if s.greeted {
		return false, nil
	}
	switch {
	case !s.probed && (f.typ == muxRerr || f.typ == muxOldRerr) && f.tag == muxControlTag && string(f.body) == probe:
		s.probed = true
		s.c.send(f.bytes())
		return true, nil
	case f.typ == muxTinit:
		s.greeted = true
		return true, s.agree(f)
	default:
		s.greeted = true
		return false, nil
	}
}

// agree answers a Tinit.
func (s *muxSession) agree(f muxFrame) error {
	x, err := muxInitOf(f.body)
	switch {
	case x.version != 1 && !errors.Is(err, errMuxShort):
		err = fmt.Errorf("Unsupported Mux version: %d", x.version) //nolint:staticcheck // the original's words
	case err == nil && x.tls == "required" && s.c.s.opts.TLS == nil:
		err = errors.New("mux: TLS is required, and the server has none")
	}
	if err != nil {
		s.refuse(f.tag, err.Error())
		return err
	}
	s.mu.Lock()
	s.fragment = x.fragment
	s.mu.Unlock()
	ours := muxInit{version: 1, fragment: maxFrame - muxHeader, tls: "off"}
	s.c.send(muxFrame{typ: muxRinit, tag: f.tag, body: ours.bytes()}.bytes())
	return nil
}

// refuse sends an Rerr, under the number that all Finagles understand.
func (s *muxSession) refuse(tag uint32, text string) {
	s.c.send(muxFrame{typ: muxOldRerr, tag: tag, body: []byte(text)}.bytes())
}

// assemble returns the whole message once its last fragment is there.
func (s *muxSession) assemble(f muxFrame) (muxFrame, bool, error) {
	tag := f.tag &^ muxFragment
	before, some := s.partial[tag]
	if f.tag == tag && !some {
		return f, true, nil
	}
	if !some {
		s.partLen += partialCost
	}
	if s.partLen += len(f.body); s.partLen > maxPartial {
		return f, false, fmt.Errorf("mux: fragments of more than %d bytes", maxPartial)
	}
	before = append(before, f.body...)
	if f.tag != tag {
		s.partial[tag] = before
		return f, false, nil
	}
	s.forget(tag, len(before))
	f.body = before
	return f, true, nil
}

// forget drops the fragments of a message.
func (s *muxSession) forget(tag uint32, size int) {
	delete(s.partial, tag)
	s.partLen -= size + partialCost
}

// discard ends a call whose answer the client does not want any more.
func (s *muxSession) discard(b []byte) error {
	r := &muxReader{b}
	n, err := r.number(3)
	if err != nil {
		return err
	}
	tag := uint32(n) //nolint:gosec // of three bytes
	if part, some := s.partial[tag]; some {
		s.forget(tag, len(part))
	}
	s.mu.Lock()
	call := s.calls[tag]
	delete(s.calls, tag)
	s.mu.Unlock()
	if call != nil {
		call.cancel()
		s.c.send(muxFrame{typ: muxRdiscarded, tag: tag}.bytes())
	}
	return nil
}

// dispatch begins a call.
func (s *muxSession) dispatch(f muxFrame) error {
	body, err := muxRequest(f)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(s.c.ctx)
	call := &muxCall{typ: f.typ, cancel: cancel}
	s.mu.Lock()
	_, twice := s.calls[f.tag]
	busy := s.nacking || len(s.calls) >= s.c.s.opts.MaxCalls
	if !twice && !busy {
		s.calls[f.tag] = call
	}
	s.mu.Unlock()
	switch {
	case twice:
		cancel()
		return s.duplicate(f.tag)
	case busy:
		cancel()
		s.reply(f.tag, f.typ, muxNack, nil)
		return nil
	}
	s.c.calls.Go(func() {
		defer cancel()
		a, err := s.c.s.namer.call(ctx, body)
		s.c.reply.Lock()
		defer s.c.reply.Unlock()
		if !s.take(f.tag, call) || s.c.ctx.Err() != nil {
			return // discarded, or handed back, or there is nobody any more
		}
		var b []byte
		if err == nil && a != nil {
			b, err = a()
		}
		if err != nil {
			s.reply(f.tag, f.typ, muxError, []byte(err.Error()))
		} else {
			s.reply(f.tag, f.typ, muxOK, b)
		}
	})
	return nil
}

// take reports whether call still waits for its answer, and counts it as answered.
func (s *muxSession) take(tag uint32, call *muxCall) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls[tag] != call {
		return false // another one may have the tag now
	}
	delete(s.calls, tag)
	return true
}

// takeAll takes all calls and ends them.
func (s *muxSession) takeAll() map[uint32]*muxCall {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.calls
	s.calls = map[uint32]*muxCall{}
	s.nacking = true
	for _, call := range all {
		call.cancel()
	}
	return all
}

// duplicate ends a session whose client has lost count of its tags.
func (s *muxSession) duplicate(tag uint32) error {
	err := fmt.Errorf("Received duplicate tag %d from client.", tag) //nolint:revive,staticcheck // the original's words
	for pending := range s.takeAll() {
		s.refuse(pending, err.Error())
	}
	return err
}
