package http1

import (
	"net"
	"time"
)

// workspace is what a connection needs while requests come: buffers, and under Recycle
// all that a request is made of. Connections that are idle for long do without.
type workspace struct {
	reader reader
	out    []byte // of the response under way: see response
	x      *serving

	by     time.Time // when the read under way has to be over; zero: see serverConn.Read
	inHead bool
	inBody bool

	vector  [3][]byte
	buffers net.Buffers
}

// outSize is how large a response may be that leaves in one write without being copied
// by the kernel piece by piece.
const outSize = 16 << 10

// keepBuffer is the largest read buffer that is kept: a larger one was for a large head.
const keepBuffer = 16 << 10

// space returns the output buffer, empty.
func (w *workspace) space() []byte {
	if w.out == nil {
		w.out = make([]byte, outSize)
	}
	return w.out[:outSize]
}

// clear makes the workspace forget its connection.
func (w *workspace) clear() {
	buf := w.reader.buf
	if cap(buf) > keepBuffer {
		buf = nil
	}
	w.reader = reader{buf: buf}
	if w.x != nil {
		w.x.forget()
	}
	w.by, w.inHead, w.inBody = time.Time{}, false, false
}
