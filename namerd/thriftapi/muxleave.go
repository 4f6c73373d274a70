package thriftapi

import (
	"context"
	"time"
)

// leave is how long a client may take to do what it is asked for when the server
// closes.
const leave = time.Second

// retryElsewhere are the contexts of a nack: one, which says that the request was
// rejected and may be made again.
const retryElsewhere = "\x00\x01\x00\x0aMuxFailure\x00\x08\x00\x00\x00\x00\x00\x00\x00\x03"

// reply answers a request of the given type, in fragments if the client wants them.
func (s *muxSession) reply(tag uint32, to int8, status byte, body []byte) {
	f := muxFrame{typ: muxRreq, tag: tag, body: []byte{status}}
	if to == muxTdispatch {
		contexts := "\x00\x00"
		if status == muxNack {
			contexts = retryElsewhere
		}
		f.typ, f.body = muxRdispatch, append(f.body, contexts...)
	}
	f.body = append(f.body, body...)
	s.mu.Lock()
	limit := s.fragment
	s.mu.Unlock()
	for limit > 0 && f.typ == muxRdispatch && len(f.body) > limit {
		s.c.send(muxFrame{typ: f.typ, tag: tag | muxFragment, body: f.body[:limit]}.bytes())
		f.body = f.body[limit:]
	}
	s.c.send(f.bytes())
}

// drain asks the client not to begin anything new, hands the requests that wait back
// to it, to be made elsewhere, and gives it time to go.
func (s *muxSession) drain() {
	s.c.send(muxFrame{typ: muxTdrain, tag: muxControlTag}.bytes())
	wait(s.c.ctx, s.drained)
	for tag, call := range s.takeAll() {
		s.reply(tag, call.typ, muxNack, nil)
	}
	wait(s.c.ctx, nil)
}

// wait waits for what a client is asked to do, or until ctx ends.
func wait(ctx context.Context, done <-chan struct{}) {
	t := time.NewTimer(leave)
	defer t.Stop()
	select {
	case <-done:
	case <-ctx.Done():
	case <-t.C:
	}
}
