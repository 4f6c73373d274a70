package http2

import (
	"encoding/binary"
	"net"

	xhttp2 "golang.org/x/net/http2"
)

const frameHeaderBytes = 9

// frame is the header of a frame as it is on the wire (RFC 9113 4.1).
type frame struct {
	length uint32
	kind   xhttp2.FrameType
	flags  xhttp2.Flags
	id     uint32
}

// input cuts what is read into frames. It belongs to the reader.
type input struct {
	nc       net.Conn
	pool     *Buffers
	socket   *socketReader // nil: nc has to be read with memory in hand
	buf      *buffer       // nil: nothing is held
	r, w     int           // unread is buf.b[r:w]
	received func(n int64) // nil: nobody counts
	total    int64         // of it
	first    []byte        // for the first read after a pause of connections that are not sockets
}

// newInput calls pause when it waits for a socket.
func newInput(nc net.Conn, pool *Buffers, pause func()) *input {
	in := &input{nc: nc, pool: pool}
	if ahead, ok := nc.(readAhead); ok {
		in.begin(ahead.Take())
		nc = ahead.NetConn()
		in.nc = nc
	}
	if b, ok := nc.(*buffered); ok {
		nc = b.Conn
	}
	if in.socket = newSocketReader(nc, in.room, pause); in.socket == nil {
		in.first = make([]byte, 1<<10)
	}
	return in
}

// readAhead is a connection from which others have read more than they wanted.
type readAhead interface {
	// Take returns what they read, and forgets it.
	Take() []byte
	// NetConn is where reading goes on.
	NetConn() net.Conn
}

// begin takes what was read already.
func (in *input) begin(b []byte) {
	if len(b) == 0 {
		return
	}
	if in.buf = in.pool.reader(); len(b) > len(in.buf.b) {
		in.pool.readerDone(in.buf)
		in.buf = &buffer{b: make([]byte, len(b))}
	}
	in.w = copy(in.buf.b, b)
}

// room returns where to read to.
func (in *input) room() []byte {
	if in.buf == nil {
		in.buf = in.pool.reader()
	}
	if in.r > 0 {
		in.w = copy(in.buf.b, in.buf.b[in.r:in.w])
		in.r = 0
	}
	return in.buf.b[in.w:]
}

// release gives the memory back if there is nothing in it.
func (in *input) release() {
	if in.buf != nil && in.r == in.w {
		in.pool.readerDone(in.buf)
		in.buf, in.r, in.w = nil, 0, 0
	}
}

// fill reads at least one byte.
func (in *input) fill() error {
	had := in.w - in.r // reading makes room first, which moves what is unread
	err := in.more()
	in.count(in.w - in.r - had)
	return err
}

// count counts n bytes that were read.
func (in *input) count(n int) {
	if n > 0 && in.received != nil {
		in.received(int64(n))
		in.total += int64(n)
	}
}

func (in *input) more() error {
	if in.socket != nil {
		n, err := in.socket.read()
		in.w += n
		return err
	}
	in.release()
	if in.buf == nil {
		n, err := in.nc.Read(in.first)
		if n > 0 {
			in.w = copy(in.room(), in.first[:n])
			return nil
		}
		return err
	}
	n, err := in.nc.Read(in.room())
	in.w += n
	if n > 0 {
		return nil
	}
	return err
}

// next returns the next frame if all of it has been read; its payload is valid until
// fill. tooLarge: the frame's payload is over the limit.
func (in *input) next(limit uint32) (f frame, payload []byte, ok, tooLarge bool) {
	have := in.w - in.r
	if have < frameHeaderBytes {
		return f, nil, false, false
	}
	h := in.buf.b[in.r : in.r+frameHeaderBytes : in.w]
	f.length = uint32(h[0])<<16 | uint32(h[1])<<8 | uint32(h[2])
	f.kind, f.flags = xhttp2.FrameType(h[3]), xhttp2.Flags(h[4])
	f.id = binary.BigEndian.Uint32(h[5:]) & (1<<31 - 1)
	if f.length > limit {
		return f, nil, false, true
	}
	all := frameHeaderBytes + int(f.length)
	if have < all {
		if all > len(in.buf.b) { // only with a configured frame size above the default
			larger := &buffer{b: make([]byte, all)}
			in.w = copy(larger.b, in.buf.b[in.r:in.w])
			in.r = 0
			in.pool.readerDone(in.buf)
			in.buf = larger
		}
		return f, nil, false, false
	}
	payload = in.buf.b[in.r+frameHeaderBytes : in.r+all : in.r+all]
	in.r += all
	return f, payload, true, false
}

// drop forgets what was read.
func (in *input) drop() {
	in.r, in.w = 0, 0
	in.release()
}
