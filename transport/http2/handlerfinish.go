package http2

import (
	"net/http"
	"strconv"
	"strings"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// finish sends what is left.
func (w *responseWriter) finish() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.finished = true
	defer w.release()
	trailer := w.appendTrailers()
	defer func() {
		if trailer != nil {
			w.c.sc.server.heads.put(trailer)
		}
	}()
	var held, sample []byte
	if w.buf != nil {
		held, sample = *w.buf, *w.buf
	}
	if w.c.isHead() {
		held = nil
	}
	if !w.sent {
		length := w.declared
		if length < 0 && w.bodyAllowed() && (!w.c.isHead() || w.written > 0 && w.written <= bodyBytes) {
			length = w.written
		}
		if err := w.sendHead(sample, length, len(held) == 0 && trailer == nil); err != nil || len(held) == 0 && trailer == nil {
			return
		}
	}
	if w.declared > w.written && !w.c.isHead() {
		// An end now would say that this is all.
		w.out.stream.Reset(xhttp2.ErrCodeInternal)
		return
	}
	if trailer == nil {
		_, _ = w.out.stream.SendData(held, true) // an event tells why not
		return
	}
	if len(held) > 0 {
		_, _ = w.out.stream.SendData(held, false) // likewise
	}
	_ = w.out.stream.SendTrailer(*trailer) // likewise
}

// release gives memory back.
func (w *responseWriter) release() {
	w.out.stopTimer()
	if w.buf != nil {
		w.c.sc.server.bodies.put(w.buf)
		w.buf = nil
	}
	if w.fields != nil {
		w.c.sc.server.heads.put(w.fields)
		w.fields = nil
	}
}

// appendTrailers returns the trailer fields, nil if there are none.
func (w *responseWriter) appendTrailers() *[]hpack.HeaderField {
	var trailer *[]hpack.HeaderField
	add := func(key string, values []string) {
		if !validTrailer(key) {
			return
		}
		for _, v := range values {
			v, ok := sendable(v)
			if !ok {
				continue
			}
			if trailer == nil {
				trailer = w.c.sc.server.heads.get()
			}
			*trailer = appendField(*trailer, w.c.sc.server.names.lowerName(key), v)
		}
	}
	for _, key := range w.trailers {
		add(key, w.header[key])
	}
	for key, values := range w.header {
		if k, ok := strings.CutPrefix(key, http.TrailerPrefix); ok {
			add(http.CanonicalHeaderKey(k), values)
		}
	}
	return trailer
}

// isHead says whether the response has no body, whatever the handler writes.
func (c *call) isHead() bool { return c.req != nil && c.req.Method == http.MethodHead }

// statusDigits is the value of :status.
func statusDigits(status int) string {
	if status == http.StatusOK {
		return "200"
	}
	return strconv.Itoa(status)
}
