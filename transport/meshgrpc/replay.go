package meshgrpc

import (
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// frameHeader is what gRPC puts in front of a message.
const frameHeader = 5

// replay is what a stream has sent, as long as it may have to be sent again. The
// messages are kept, not their bytes: grpc-go forbids changing a message after it
// was sent.
type replay struct {
	limit int // in bytes

	mu      sync.Mutex
	msgs    []any
	size    int
	dropped bool // too much, or not needed any more
	closed  bool // there is nothing more to come
}

// add takes note of a message that is being sent. Of messages other than protocol
// buffers nobody knows the size: they are not kept.
func (r *replay) add(m any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dropped {
		return
	}
	msg, ok := m.(proto.Message)
	if ok {
		r.size += frameHeader + proto.Size(msg)
	}
	if !ok || r.size > r.limit {
		r.msgs, r.dropped = nil, true
		return
	}
	r.msgs = append(r.msgs, m)
}

// close takes note of the end.
func (r *replay) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}

// drop lets go of everything.
func (r *replay) drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.msgs, r.dropped = nil, true
}

// complete reports whether everything that the caller will ever send is here.
// Where it sends one message, that one is.
func (r *replay) complete(many bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.dropped && (r.closed || !many && len(r.msgs) == 1)
}

// kept reports whether everything that was sent so far is here.
func (r *replay) kept() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.dropped
}

// to sends everything again; false says that not everything is here. An error of
// sending shows when the response is received.
func (r *replay) to(s grpc.ClientStream) bool {
	r.mu.Lock()
	msgs, closed, dropped := r.msgs, r.closed, r.dropped
	r.mu.Unlock()
	if dropped {
		return false
	}
	for _, m := range msgs {
		if s.SendMsg(m) != nil {
			break
		}
	}
	if closed {
		_ = s.CloseSend() // never fails
	}
	return true
}
