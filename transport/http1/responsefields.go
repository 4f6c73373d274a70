package http1

import (
	"net/http"
	"strings"
)

// oddlySpelt reports whether a name, which is not in canonical form, is that of a field
// which the server writes itself.
func oddlySpelt(name string) bool {
	switch len(name) {
	case len("Trailer"), len("Connection"), len("Content-Length"), len("Transfer-Encoding"):
		for _, own := range [...]string{"trailer", "connection", "content-length", "transfer-encoding"} {
			if strings.EqualFold(name, own) {
				return true
			}
		}
	}
	return false
}

// appendSane appends a field line. A name that is none is left out; control bytes in a
// value become spaces.
func appendSane(dst []byte, name, value string) []byte {
	dst, ok := appendField(dst, name, value)
	if ok {
		return dst
	}
	sane := []byte(value)
	for i, c := range sane {
		if c < ' ' && c != '\t' || c == 0x7f {
			sane[i] = ' '
		}
	}
	dst, _ = appendField(dst, name, string(trim(sane)))
	return dst
}

func (w *response) declare(values []string) {
	if len(values) == 0 {
		return
	}
	if n, ok := parseLength([]byte(strings.TrimSpace(values[0]))); ok {
		w.declared = n
	}
}

func (w *response) announce(values []string) {
	for _, v := range values {
		for name := range strings.SplitSeq(v, ",") {
			if name = http.CanonicalHeaderKey(strings.TrimSpace(name)); isToken(name) && mayTrail(name) {
				w.trailers = append(w.trailers, name)
			}
		}
	}
}

func (w *response) connect(values []string) {
	var h head
	for _, v := range values {
		h.seeConnection([]byte(v))
	}
	if h.close {
		w.close = true
		return
	}
	w.connection = values
}
