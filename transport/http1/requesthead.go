package http1

import (
	"bytes"
	"net/http"
	"strings"
)

// parseRequest takes the head of a request apart. The block is written to. Errors are
// *ProtocolError.
func (h *head) parseRequest(block []byte) error {
	h.reset(true)
	end := bytes.IndexByte(block, '\n') - 1
	line := block[:end]
	first, last := bytes.IndexByte(line, ' '), bytes.LastIndexByte(line, ' ')
	if first <= 0 || first == last {
		return refuse(http.StatusBadRequest, "malformed request line")
	}
	for _, c := range line[:first] {
		if tokenByte(c) == 0 {
			return refuse(http.StatusBadRequest, "malformed method")
		}
	}
	target := line[first+1 : last]
	if len(target) == 0 || !isVisible(target) {
		return refuse(http.StatusBadRequest, "whitespace, control byte or non-ASCII in the request target")
	}
	var err error
	if h.minor, err = version(line[last+1:]); err != nil {
		return err
	}
	if err = h.scan(block, end+2, h.see); err != nil {
		return err
	}
	if err = h.frameRequest(); err != nil {
		return err
	}
	text := string(block)
	h.method, h.target = method(text[:first]), text[first+1:last]
	if h.hosts == 1 {
		f := &h.list[h.hostAt]
		h.host = text[f.value:f.end]
	}
	if err = h.checkTarget(); err != nil {
		return err
	}
	h.fill(text, h.header)
	return nil
}

// method returns m, and a constant for the common ones, because a method is kept longer
// than the head it came in: as a label of metrics, say.
func method(m string) string {
	switch m {
	case http.MethodGet:
		return http.MethodGet
	case http.MethodHead:
		return http.MethodHead
	case http.MethodPost:
		return http.MethodPost
	case http.MethodPut:
		return http.MethodPut
	case http.MethodPatch:
		return http.MethodPatch
	case http.MethodDelete:
		return http.MethodDelete
	case http.MethodOptions:
		return http.MethodOptions
	case http.MethodConnect:
		return http.MethodConnect
	case http.MethodTrace:
		return http.MethodTrace
	}
	return m
}

// frameRequest decides where the body of a request ends (RFC 9112 §6.3).
func (h *head) frameRequest() error {
	switch {
	case h.minor == 1 && h.hosts == 0:
		return refuse(http.StatusBadRequest, "HTTP/1.1 request without Host")
	case h.codings > 0 && h.minor == 0:
		return refuse(http.StatusBadRequest, "Transfer-Encoding in HTTP/1.0")
	case h.codings > 0 && h.size >= 0:
		return refuse(http.StatusBadRequest, "both Content-Length and Transfer-Encoding")
	case h.codings > 0:
		h.framing, h.length = chunked, -1
	case h.size > 0:
		h.framing, h.length = sized, h.size
	}
	if h.minor == 0 {
		h.expect = false // RFC 9110 §10.1.1
		h.close = h.close || !h.keepAlive
	}
	return nil
}

// checkTarget holds the request target against the four forms of RFC 9112 §3.2.
func (h *head) checkTarget() error {
	t := h.target
	switch {
	case strings.IndexByte(t, '#') >= 0:
		return refuse(http.StatusBadRequest, "fragment in the request target")
	case h.method == http.MethodConnect:
		if t[0] == '/' || strings.IndexByte(t, ':') < 0 || !isHost([]byte(t)) {
			return refuse(http.StatusBadRequest, "target of CONNECT is not host:port")
		}
		return nil
	case t[0] == '/':
		return nil
	case t == "*":
		if h.method != http.MethodOptions {
			return refuse(http.StatusBadRequest, "target * is for OPTIONS alone")
		}
		return nil
	}
	scheme, rest, ok := strings.Cut(t, "://")
	if !ok || !(strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")) {
		return refuse(http.StatusBadRequest, "request target has none of the four forms")
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority = rest[:i]
	}
	if authority == "" || !isHost([]byte(authority)) {
		return refuse(http.StatusBadRequest, "malformed authority in the request target")
	}
	h.host = authority // it wins over the Host field (RFC 9112 §3.2.2)
	return nil
}

// isHost reports whether b is a host with or without a port, or empty: the bytes of
// RFC 3986 §3.2.2 without the comma, which would look like two of them, and without
// user information.
func isHost(b []byte) bool {
	if len(b) > 0 && b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 0 {
			return false
		}
		for _, c := range b[1:end] {
			if !(hex(c) < 16 || c == ':' || c == '.' || c == '%' || c == '-' || c == '_' || c == '~' || tokenByte(c) >= 'a') {
				return false
			}
		}
		return end > 1 && isPort(b[end+1:])
	}
	for i, c := range b {
		if c == ':' {
			return isPort(b[i:])
		}
		switch {
		case tokenByte(c) != 0 && c != '^' && c != '`' && c != '|' && c != '#', c == '(', c == ')', c == ';', c == '=':
		default:
			return false
		}
	}
	return true
}

// isPort reports whether b is empty or a colon with at most five digits.
func isPort(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	if b[0] != ':' || len(b) > 6 {
		return false
	}
	for _, c := range b[1:] {
		if !digit(c) {
			return false
		}
	}
	return true
}
