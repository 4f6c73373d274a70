package http2

import (
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2/hpack"
)

// bodyBytes is how much of a response is held back, so that a small one leaves in one
// piece with its length.
const bodyBytes = 4 << 10

// bodyPool keeps the beginnings of responses.
type bodyPool struct{ pool sync.Pool }

func (p *bodyPool) get() *[]byte {
	if b, ok := p.pool.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, bodyBytes)
	return &b
}

func (p *bodyPool) put(b *[]byte) {
	*b = (*b)[:0]
	p.pool.Put(b)
}

// responseWriter is the http.ResponseWriter of a call, for one goroutine at a time. It
// is also an http.Flusher and has the methods of http.ResponseController but Hijack.
type responseWriter struct {
	c        *call
	out      bodyWriter
	header   http.Header
	fields   *[]hpack.HeaderField // the head since WriteHeader, until it is sent
	buf      *[]byte              // of the body, not yet sent; nil: nothing
	trailers []string             // declared
	status   int                  // 0: not decided
	declared int64                // content-length that the handler set; -1: none
	written  int64                // of the body
	typed    bool                 // content-type is not to be guessed
	dated    bool                 // date is not to be set
	finished bool

	mu   sync.Mutex // who reads the request's body may not be who writes
	sent bool       // the final head
	went bool       // 100 was sent, or is not needed
}

func (w *responseWriter) init(c *call, s *Stream) {
	w.c, w.declared = c, -1
	w.out.stream = s
}

// Header implements http.ResponseWriter.
func (w *responseWriter) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header, 4)
	}
	return w.header
}

// WriteHeader implements http.ResponseWriter. Heads of 1xx are sent at once.
func (w *responseWriter) WriteHeader(status int) {
	if w.status != 0 || w.finished {
		return
	}
	if status < 100 || status > 999 || status == http.StatusSwitchingProtocols {
		status = http.StatusInternalServerError // what cannot be said in HTTP/2
	}
	if status < 200 {
		w.informational(status)
		return
	}
	w.status = status
	w.fields = w.c.sc.server.heads.get()
	*w.fields = w.appendHead(appendField(*w.fields, ":status", statusDigits(status)))
}

// appendHead appends the fields of the header as it is now.
func (w *responseWriter) appendHead(fields []hpack.HeaderField) []hpack.HeaderField {
	for key, values := range w.header {
		switch key {
		case "Content-Length":
			if len(values) == 1 && w.bodyAllowed() {
				w.declared = parseLength(values[0])
			}
			continue
		case "Content-Type":
			w.typed = true
		case "Content-Encoding":
			w.typed = w.typed || len(values) > 0 && values[0] != ""
		case "Date":
			w.dated = true
		case "Trailer":
			w.declareTrailers(values)
		}
		if strings.HasPrefix(key, http.TrailerPrefix) {
			continue
		}
		name := w.c.sc.server.names.lowerName(key)
		if connectionField(name) || !validName(name) {
			continue
		}
		for _, v := range values {
			if v, ok := sendable(v); ok && (name != "te" || v == "trailers") {
				fields = appendField(fields, name, v)
			}
		}
	}
	return fields
}

// sendable returns v as it may be sent in a field; false: it cannot be.
func sendable(v string) (string, bool) {
	if validValue(v) {
		return v, true
	}
	v = strings.Trim(v, " \t")
	return v, validValue(v)
}

func (w *responseWriter) declareTrailers(values []string) {
	for _, line := range values {
		for key := range strings.SplitSeq(line, ",") {
			if key = http.CanonicalHeaderKey(strings.TrimSpace(key)); validTrailer(key) {
				w.trailers = append(w.trailers, key)
			}
		}
	}
}

// bodyAllowed says whether the status can have a body.
func (w *responseWriter) bodyAllowed() bool {
	return w.status >= 200 && w.status != http.StatusNoContent && w.status != http.StatusNotModified
}

// Write implements io.Writer. It waits while the client's windows are full.
func (w *responseWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.finished:
		return 0, errHandlerDone
	case !w.bodyAllowed():
		return 0, http.ErrBodyNotAllowed
	}
	w.written += int64(len(p))
	if w.declared >= 0 && w.written > w.declared {
		return 0, http.ErrContentLength
	}
	if w.buf == nil {
		w.buf = w.c.sc.server.bodies.get()
	}
	if w.c.isHead() {
		// What the body would begin with, for the guess of its type.
		*w.buf = append(*w.buf, p[:min(len(p), bodyBytes-len(*w.buf))]...)
		return len(p), nil
	}
	if len(*w.buf)+len(p) <= bodyBytes {
		*w.buf = append(*w.buf, p...)
		return len(p), nil
	}
	if err := w.push(p); err != nil {
		return 0, err
	}
	n, err := w.out.write(p, false)
	w.out.stream.conn.Flush()
	return n, err
}

// WriteString implements io.StringWriter.
func (w *responseWriter) WriteString(s string) (int, error) {
	if w.buf != nil && w.status != 0 && len(*w.buf)+len(s) <= bodyBytes && w.declared < 0 {
		w.written += int64(len(s))
		*w.buf = append(*w.buf, s...)
		return len(s), nil
	}
	return w.Write([]byte(s))
}

// push sends the head, if it was not, and what is held back of the body. next is what
// is going to follow.
func (w *responseWriter) push(next []byte) error {
	var held []byte
	if w.buf != nil && !w.c.isHead() {
		held = *w.buf
	}
	if !w.sent {
		sample := held
		if len(held) == 0 {
			sample = next
		}
		if err := w.sendHead(sample, w.declared, false); err != nil {
			return err
		}
	}
	if len(held) == 0 {
		return nil
	}
	_, err := w.out.write(held, false)
	*w.buf = held[:0]
	return err
}

// sendHead sends the head. sample is the beginning of the body, length that of all of
// it; -1: not known.
func (w *responseWriter) sendHead(sample []byte, length int64, end bool) error {
	fields := *w.fields
	if length >= 0 {
		fields = appendField(fields, "content-length", strconv.FormatInt(length, 10))
	}
	if !w.typed && len(sample) > 0 {
		fields = appendField(fields, "content-type", http.DetectContentType(sample))
	}
	if !w.dated {
		fields = appendField(fields, "date", w.c.sc.server.dateNow())
	}
	*w.fields = fields
	w.mu.Lock()
	w.sent, w.went = true, true
	err := w.out.stream.SendHead(fields, end)
	w.mu.Unlock()
	w.c.sc.server.heads.put(w.fields)
	w.fields = nil
	return err
}

// Flush implements http.Flusher.
func (w *responseWriter) Flush() { _ = w.FlushError() } // the interface knows no errors

// FlushError is Flush that says why it failed.
func (w *responseWriter) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.finished {
		return errHandlerDone
	}
	err := w.push(nil)
	w.out.stream.conn.Flush()
	return err
}

// SetReadDeadline limits the waiting for the request's body; zero: no limit.
func (w *responseWriter) SetReadDeadline(t time.Time) error {
	if w.c.bodied {
		w.c.in.setDeadline(t)
	}
	return nil
}

// SetWriteDeadline has the stream reset at t; zero: never.
func (w *responseWriter) SetWriteDeadline(t time.Time) error {
	w.out.setDeadline(t, os.ErrDeadlineExceeded)
	return nil
}

// EnableFullDuplex does nothing: streams of HTTP/2 are.
func (w *responseWriter) EnableFullDuplex() error { return nil }
