package http1

import (
	"io"
	"net/http"
	"time"
)

// send writes the request, or its head if the body needs a goroutine, which it starts.
func (t *turn) send() error {
	t.up = nil
	if t.fed && t.waits() {
		return t.sendExpecting()
	}
	if t.out.aside || !t.fed {
		if err := t.write(t.rd.buf[:t.size]); err != nil {
			return err
		}
		return t.sendBody()
	}
	return t.sendInline()
}

// write writes the head, with whatever follows it in p.
func (t *turn) write(p []byte) error {
	n, err := t.c.Write(p)
	return t.wrote(int64(n), err)
}

// wrote notes what became of the first write.
func (t *turn) wrote(n int64, err error) error {
	t.x.Sent = t.x.Sent || n > 0
	switch {
	case err == nil:
		return nil
	case n == 0:
		return &unsentError{err}
	case isTimeout(err):
		return err
	}
	return nil // there may be an answer to the part that was written
}

// sendInline writes a short body together with the head.
func (t *turn) sendInline() error {
	buf := t.rd.buf
	end := t.size + int(max(t.out.length, 0))
	switch {
	case t.out.mem != nil && end <= len(buf):
		copy(buf[t.size:], t.out.mem)
		return t.sent(t.write(buf[:end]))
	case t.out.mem != nil:
		t.bufs[0], t.bufs[1] = buf[:t.size], t.out.mem
		t.vector = t.bufs[:]
		n, err := t.c.writev(&t.vector)
		t.bufs[1] = nil
		return t.sent(t.wrote(n, err))
	case end <= len(buf):
		if _, err := io.ReadFull(t.out.src, buf[t.size:end]); err != nil {
			return &bodyError{err}
		}
		return t.sent(t.write(buf[:end]))
	}
	if err := t.write(buf[:t.size]); err != nil {
		return err
	}
	return t.sendBody()
}

// sendBody writes the body alone.
func (t *turn) sendBody() error {
	var err error
	switch {
	case !t.fed:
	case t.out.aside:
		t.up = startUpload(t.c, t.x, t.trace, t.out, t.req.Trailer)
		t.out.src = nil // it closes the body
		return nil
	case t.out.mem != nil:
		_, err = t.c.Write(t.out.mem)
	default:
		_, err = t.out.known.WriteTo(t.c)
	}
	if err != nil && isTimeout(err) {
		return err
	}
	return t.sent(nil) // after another error there may be an answer
}

// sent notes that the request was.
func (t *turn) sent(err error) error {
	if err == nil {
		t.x.written()
		t.wroteRequest()
	}
	return err
}

// waits reports whether the request asks whether its body is wanted.
func (t *turn) waits() bool {
	for _, v := range t.req.Header["Expect"] {
		if is([]byte(v), "100-continue") {
			return !t.x.HTTP10
		}
	}
	return false
}

// sendExpecting writes the head and waits for a response before it writes the body. If
// that is the final one, the body is not sent, and nothing else on this connection.
func (t *turn) sendExpecting() error {
	if err := t.write(t.rd.buf[:t.size]); err != nil {
		return err
	}
	if err := t.c.limitReads(time.Now().Add(t.pool.o.ExpectTimeout)); err != nil {
		return err
	}
	for {
		_, err := t.rd.head(&t.lim)
		if isTimeout(err) && !t.c.interrupted.Load() {
			break // it is silent: older ones are
		}
		if err != nil {
			return t.malformed(err)
		}
		if line := t.rd.buffered(); len(line) < 12 || line[9] != '1' || string(line[9:12]) == "101" {
			t.last = true // for receive; the body would be taken for another request
			return t.c.limitReads(time.Time{})
		}
		if err := t.readHead(); err != nil {
			return err
		}
		if err := t.inform(); err != nil {
			return err
		}
		if t.head.status == http.StatusContinue {
			break
		}
	}
	if err := t.c.limitReads(time.Time{}); err != nil {
		return err
	}
	return t.sendBody()
}
