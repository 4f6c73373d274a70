package http1

import (
	"net/http"
	"strings"
	"time"
)

// frameRoom is the room between head and body for what says where the body ends, which
// is known last: Content-Length or Transfer-Encoding, Connection, the empty line, and
// the size of a chunk.
const frameRoom = 128

// flush sends what is buffered, and then more; last ends the body.
func (w *response) flush(more []byte, last bool) {
	var room [2 * frameRoom]byte
	frame := room[:0]
	if !w.framed {
		if w.x.head.expect {
			w.proceeding.Lock()
			defer w.proceeding.Unlock()
		}
		frame = w.frame(frame, last)
		w.framed = true
	}
	n := len(w.out) - w.bodyAt + len(more)
	tail := w.x.tail[:0]
	if w.framing == chunked {
		if n > 0 {
			frame = appendChunk(frame, n)
			tail = append(tail, "\r\n"...)
		}
		if last {
			tail = appendLastChunk(tail, w.trailer())
		}
	}
	out := w.join(frame)
	if len(more) == 0 {
		w.send(append(out, tail...), nil, nil)
	} else {
		w.send(out, more, tail)
	}
	w.out = w.out[:frameRoom]
	w.head, w.bodyAt = 0, frameRoom
}

// join puts frame between head and body and returns all three.
func (w *response) join(frame []byte) []byte {
	gap := w.bodyAt - w.head
	if len(frame) > gap { // many trailers were announced
		out := append(make([]byte, 0, len(w.out)+len(frame)+frameRoom), w.out[:w.head]...)
		return append(append(out, frame...), w.out[w.bodyAt:]...)
	}
	at := w.bodyAt - len(frame)
	copy(w.out[at:], frame)
	begin := at - w.head
	copy(w.out[begin:at], w.out[:w.head])
	return w.out[begin:]
}

func (w *response) send(p, q, r []byte) {
	if w.err != nil {
		return
	}
	if w.err = w.x.c.write(p, q, r); w.err != nil {
		w.x.c.hungUp()
	}
}

// frame decides where the body ends (RFC 9112 §6), and appends what says so. last means
// that all of it is in the buffer.
func (w *response) frame(dst []byte, last bool) []byte {
	h := &w.x.head
	trailers := len(w.trailers) > 0 || last && h.minor == 1 && w.written > 0 && w.hasPrefixed()
	switch {
	case h.method == http.MethodConnect && w.status/100 == 2:
		w.framing, w.close = untilClose, true
	case w.bodiless:
		w.framing = empty
		n := w.declared
		if n < 0 && last && w.written > 0 {
			n = w.written
		}
		if n >= 0 && w.status >= 200 && w.status != http.StatusNoContent {
			dst = appendLength(dst, n)
		}
	case w.declared >= 0:
		dst = appendLength(dst, w.declared)
	case last && !(trailers && h.minor == 1):
		w.declared = w.written
		dst = appendLength(dst, w.written)
	case h.minor == 1:
		w.framing = chunked
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
		if len(w.trailers) > 0 {
			dst = append(dst, "Trailer: "...)
			dst = append(dst, strings.Join(w.trailers, ", ")...)
			dst = append(dst, "\r\n"...)
		}
	default:
		w.framing, w.close = untilClose, true
	}
	return w.persist(dst, last)
}

// persist appends what says whether the connection lasts, and the empty line.
func (w *response) persist(dst []byte, last bool) []byte {
	x := w.x
	c := x.c
	if c.srv.draining.Load() || last && x.body != nil && x.abandoned() {
		w.close = true
	}
	if !c.ends.IsZero() && !w.close && !time.Now().Before(c.ends) {
		w.close, c.reason = true, ClosedByLife
	}
	for _, v := range w.connection {
		dst = appendSane(dst, "Connection", v)
	}
	switch {
	case w.status == http.StatusSwitchingProtocols:
		w.close = true // nobody has taken the connection over, and HTTP it is no more
	case w.close && x.head.minor == 1:
		dst = append(dst, "Connection: close\r\n"...)
	case !w.close && x.head.minor == 0 && len(w.connection) == 0:
		dst = append(dst, "Connection: keep-alive\r\n"...)
	}
	return append(dst, "\r\n"...)
}

// abandoned reports whether so much of the request's body is unread that the connection
// cannot be used again. It is for the time after the handler.
func (x *serving) abandoned() bool {
	p := &x.body.p
	if !x.body.closed.Load() || p.ended() {
		return false
	}
	return x.body.waits.Load() || p.err != nil || p.framing == sized && p.left > drainRequest
}

// hasPrefixed reports whether the handler has set trailers that were not announced.
func (w *response) hasPrefixed() bool {
	for name := range w.header {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			return true
		}
	}
	return false
}

// trailer returns the fields to send after the body.
func (w *response) trailer() http.Header {
	var t http.Header
	add := func(name string, values []string) {
		if t == nil {
			t = make(http.Header)
		}
		t[name] = append(t[name], values...)
	}
	for _, name := range w.trailers {
		if values := w.header[name]; len(values) > 0 {
			add(name, values)
		}
	}
	for key, values := range w.header {
		if name, ok := strings.CutPrefix(key, http.TrailerPrefix); ok {
			add(http.CanonicalHeaderKey(name), values)
		}
	}
	return t
}
