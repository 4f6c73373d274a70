package http1

import (
	"net/http"
	"sync"
)

// HeaderAdopter is implemented by the ResponseWriters of a Server.
type HeaderAdopter interface {
	// UseHeader makes h what Header returns from now on, so that the header of another
	// response need not be copied. It is the Server's to read, and the Handler's to add
	// trailers to, until ServeHTTP returns; the Server does not write to it.
	UseHeader(h http.Header)
}

// response is the http.ResponseWriter of a Server. It is for one goroutine at a time.
//
// The output buffer holds the head without its end, room for that, and the body as far
// as it fits. When it is sent, the end of the head is written right before the body, and
// the rest of the head moved up to it, so that everything leaves in one write.
type response struct {
	x      *serving
	header http.Header
	own    http.Header // what header is if the handler brings none

	out      []byte // [:head] is the head, [bodyAt:] the body
	head     int
	bodyAt   int
	status   int
	declared int64 // Content-Length as the handler says; -1: it does not
	written  int64 // of the body

	framed     bool // the head's end has been decided
	framing    framing
	bodiless   bool // nothing may follow the head
	close      bool
	ended      bool
	refused    bool // the answer is the server's own: see refuse
	resetWrite bool // the handler has set a write deadline
	trailers   []string
	connection []string // the handler's Connection field
	err        error

	proceeding sync.Mutex // held while 100 Continue or a head is written, if the caller waits for one
}

// begin makes the response ready for the request of x.
func (w *response) begin(x *serving) {
	own := w.own
	if own == nil {
		own = make(http.Header, 8)
	} else {
		clear(own)
	}
	w.x, w.header, w.own = x, own, own
	w.out = x.c.work.space()[:0]
	w.head, w.bodyAt, w.status, w.declared, w.written = 0, 0, 0, -1, 0
	w.framed, w.framing, w.bodiless, w.close, w.ended, w.refused, w.resetWrite = false, empty, false, x.head.close, false, false, false
	w.trailers, w.connection, w.err = nil, nil, nil
}

// Header implements http.ResponseWriter.
func (w *response) Header() http.Header { return w.header }

// UseHeader implements HeaderAdopter.
func (w *response) UseHeader(h http.Header) { w.header = h }

// WriteHeader implements http.ResponseWriter. Informational responses other than 101
// leave at once, as often as the handler likes.
func (w *response) WriteHeader(status int) {
	switch {
	case w.ended || w.status != 0:
		return
	case status >= 100 && status < 200 && status != http.StatusSwitchingProtocols:
		w.inform(status)
		return
	case status < 100 || status > 999:
		status = http.StatusInternalServerError // there is no such thing as what was asked for
	}
	if b := w.x.body; b != nil && status/100 != 4 {
		if fault := int(b.fault.Load()); fault != 0 {
			w.refuse(fault)
			return
		}
	}
	c := w.x.c
	w.status = status
	w.framing = sized
	w.bodiless = w.x.head.method == http.MethodHead || status < 200 || status == http.StatusNoContent || status == http.StatusNotModified
	out := appendStatusLine(w.out[:0], status, w.x.head.minor)
	dated := false
	for name, values := range w.header {
		switch name {
		case "Content-Length":
			w.declare(values)
			continue
		case "Transfer-Encoding":
			continue
		case "Trailer":
			w.announce(values)
			continue
		case "Connection":
			w.connect(values)
			continue
		case "Date":
			dated = true
		default:
			if oddlySpelt(name) {
				continue
			}
		}
		for _, v := range values {
			out = appendSane(out, name, v)
		}
	}
	if !dated {
		out = c.srv.appendDate(out)
	}
	w.endHead(out)
}

// endHead takes the head, which lacks what frame will add to it.
func (w *response) endHead(out []byte) {
	w.head = len(out)
	out = append(out, make([]byte, frameRoom)...)
	w.bodyAt = len(out)
	w.out = out
}

// refuse begins the response to a request whose body has turned out malformed or too long,
// whatever the handler, which got but an error, makes of that: a proxy would put it down to
// the endpoint.
func (w *response) refuse(status int) {
	w.status, w.framing, w.bodiless, w.declared = status, sized, true, 0
	w.refused, w.close = true, true
	w.endHead(w.x.c.srv.appendDate(appendStatusLine(w.out[:0], status, w.x.head.minor)))
}

// inform sends an informational response.
func (w *response) inform(status int) {
	if w.x.head.minor == 0 || w.err != nil {
		return // nobody there understands it
	}
	if w.x.head.expect {
		w.proceeding.Lock()
		defer w.proceeding.Unlock()
	}
	if status == http.StatusContinue && w.x.body != nil {
		w.x.body.waits.Store(false) // the reader of the body need not say it
	}
	out := appendStatusLine(w.out[:0], status, 1)
	for name, values := range w.header {
		if framingField(name) || oddlySpelt(name) {
			continue
		}
		for _, v := range values {
			out = appendSane(out, name, v)
		}
	}
	w.send(append(out, "\r\n"...), nil, nil)
}

// proceed sends 100 Continue, unless a response has begun. The reader of the body calls it.
func (w *response) proceed() error {
	w.proceeding.Lock()
	defer w.proceeding.Unlock()
	if w.framed {
		return nil
	}
	return w.x.c.write([]byte("HTTP/1.1 100 Continue\r\n\r\n"), nil, nil)
}

// Write implements http.ResponseWriter.
func (w *response) Write(p []byte) (int, error) {
	if err := w.admit(len(p)); err != nil || len(p) == 0 {
		return 0, err
	}
	if w.bodiless {
		return len(p), nil
	}
	if len(w.out)+len(p) <= cap(w.out) {
		w.out = append(w.out, p...)
		return len(p), nil
	}
	if w.flush(p, false); w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// WriteString implements io.StringWriter.
func (w *response) WriteString(s string) (int, error) {
	if len(w.out)+len(s) > cap(w.out) || w.bodiless {
		return w.Write([]byte(s))
	}
	if err := w.admit(len(s)); err != nil || s == "" || w.bodiless {
		return len(s), err
	}
	if len(w.out)+len(s) > cap(w.out) { // there was no head before
		w.flush([]byte(s), false)
		return len(s), w.err
	}
	w.out = append(w.out, s...)
	return len(s), nil
}

// admit counts n bytes of the body, and refuses them if they may not be sent.
func (w *response) admit(n int) error {
	if w.ended {
		return errEnded
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.err != nil:
		return w.err
	case n == 0 || w.refused:
		return nil
	case w.bodiless && w.x.head.method != http.MethodHead:
		return http.ErrBodyNotAllowed
	case w.declared >= 0 && w.written+int64(n) > w.declared:
		return http.ErrContentLength
	}
	w.written += int64(n)
	return nil
}

// Flush implements http.Flusher.
func (w *response) Flush() { _ = w.FlushError() } // whoever wants the error calls that

// FlushError is Flush with an error, as http.ResponseController calls it.
func (w *response) FlushError() error {
	if err := w.admit(0); err != nil {
		return err
	}
	if !w.framed || len(w.out) > w.bodyAt {
		w.flush(nil, false)
	}
	return w.err
}

// finish ends the response and reports whether another may follow on the connection.
func (w *response) finish() bool {
	if w.admit(0) != nil {
		return false
	}
	if w.declared > w.written && !w.bodiless {
		w.flush(nil, false) // all there is; that it is too short, closing tells
		return false
	}
	if !w.framed || len(w.out) > w.bodyAt || w.framing == chunked {
		w.flush(nil, true)
	}
	return w.err == nil && !w.close
}
