package http2

import (
	"net/http"
	"strings"

	"golang.org/x/net/http2/hpack"
)

// informational sends a 1xx head with the fields of the header as it is now.
func (w *responseWriter) informational(status int) {
	heads := &w.c.sc.server.heads
	fields := heads.get()
	*fields = w.c.sc.server.names.appendHeader(appendField(*fields, ":status", statusDigits(status)), w.header,
		func(name string) bool {
			return name == "content-length" || strings.HasPrefix(name, "trailer:") || !validName(name)
		})
	w.sendInformational(*fields, status)
	heads.put(fields)
}

func (w *responseWriter) sendInformational(fields []hpack.HeaderField, status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sent {
		return
	}
	w.went = w.went || status == http.StatusContinue
	_ = w.out.stream.SendHead(fields, false) // an event tells why not
	w.out.stream.conn.Flush()
}

// continued asks the client for the body, once.
func (w *responseWriter) continued() {
	w.mu.Lock()
	went := w.went
	w.went = true
	w.mu.Unlock()
	if !went {
		w.sendInformational([]hpack.HeaderField{{Name: ":status", Value: "100"}}, http.StatusContinue)
	}
}
