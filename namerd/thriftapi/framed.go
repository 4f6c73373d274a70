package thriftapi

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/weft-mesh/weft/naming/interpreter/namerd/namerthrift"
)

// maxPipelined is how many requests of a connection of framed thrift are handled at
// a time; the next ones are not read until the first one has its answer.
const maxPipelined = 1000

// canTrace is the method by which Finagle's clients ask whether the server knows
// their header, which then comes before every message.
const canTrace = "__can__finagle__trace__v3__"

// framedSession is the server's side of a connection of framed thrift: answers come
// in the order of the requests.
type framedSession struct {
	c        *conn
	upgraded bool // there is a header before every message
	queue    chan (<-chan outcome)
}

// outcome is what became of a request. There is nothing to send for one that wants no
// answer.
type outcome struct {
	answer answer
	err    error
}

func newFramedSession(c *conn) *framedSession {
	return &framedSession{c: c, queue: make(chan (<-chan outcome), maxPipelined)}
}

// serve handles messages until the connection ends.
func (s *framedSession) serve(first []byte, r io.Reader) error {
	ctx, cancel := context.WithCancel(s.c.ctx)
	var err error
	if reply, ok := upgrade(first); ok {
		s.upgraded = true
		s.c.send(appendFrame(nil, reply))
		first, err = readFrame(r)
	}
	var writer sync.WaitGroup
	writer.Go(func() { s.answer(ctx) })
	defer writer.Wait()
	defer cancel()
	for b := first; ; b, err = readFrame(r) {
		if err != nil {
			return err
		}
		if err := s.handle(ctx, b); err != nil {
			return err
		}
	}
}

// handle begins to handle a message.
func (s *framedSession) handle(ctx context.Context, b []byte) error {
	if s.upgraded {
		var err error
		if b, err = withoutHeader(b); err != nil {
			return err
		}
	}
	done := make(chan outcome, 1)
	select {
	case s.queue <- done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	s.c.calls.Go(func() {
		a, err := s.c.s.namer.call(ctx, b)
		done <- outcome{a, err}
	})
	return nil
}

// answer sends the answers in the order of the requests.
func (s *framedSession) answer(ctx context.Context) {
	for {
		select {
		case next := <-s.queue:
			select {
			case o := <-next:
				s.send(o)
			case <-ctx.Done():
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// send sends an answer. There is no way to say that there is none but to close the
// connection.
func (s *framedSession) send(o outcome) {
	var b []byte
	if o.err == nil && o.answer != nil {
		b, o.err = o.answer()
	}
	switch {
	case o.err != nil:
		s.c.s.opts.Logger.Warn("a request cannot be answered", "client", s.c.nc.RemoteAddr().String(), "err", o.err)
		s.c.close()
	case o.answer == nil:
	case s.upgraded:
		// A header of the server, without anything in it.
		s.c.send(appendFrame(nil, append([]byte{thrift.STOP}, b...)))
	default:
		s.c.send(appendFrame(nil, b))
	}
}

// upgrade returns the answer to the question whether the server knows Finagle's
// header, if b is that.
func upgrade(b []byte) (reply []byte, ok bool) {
	h, err := namerthrift.Unmarshal(b, func(namerthrift.Header) (namerthrift.Struct, error) { return nil, nil })
	if err != nil || h.Type != thrift.CALL || h.Method != canTrace {
		return nil, false
	}
	reply, err = namerthrift.Marshal(canTrace, thrift.REPLY, h.Seq, &namerthrift.Void{})
	return reply, err == nil
}

// withoutHeader returns the message after Finagle's header, in which there is nothing
// of interest.
func withoutHeader(b []byte) ([]byte, error) {
	buf := &thrift.TMemoryBuffer{Buffer: bytes.NewBuffer(b)}
	p := thrift.NewTBinaryProtocolConf(buf, &thrift.TConfiguration{MaxMessageSize: maxFrame, MaxFrameSize: maxFrame})
	if err := p.Skip(context.Background(), thrift.STRUCT); err != nil {
		return nil, fmt.Errorf("thrift: the header of a request: %w", err)
	}
	return buf.Bytes(), nil
}
