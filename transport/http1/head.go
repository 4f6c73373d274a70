package http1

import (
	"bytes"
	"math"
	"net/http"
)

// framing is how the end of a body is known.
type framing uint8

const (
	empty      framing = iota // there is none
	sized                     // by Content-Length
	chunked                   // by Transfer-Encoding
	untilClose                // by the end of the connection
)

// head is the head of a request or response, taken apart. It can be used again; header
// is cleared then, unless it is nil, and strings of the old one stay valid.
//
// Everything that says where the message ends is in framing and length and not, or only
// in one form, in header, so that whoever writes the message again cannot contradict it.
type head struct {
	fields

	method, target, host string // of a request
	status               int    // of a response
	reason               string // of a response; may be empty
	minor                int    // HTTP/1.minor

	header  http.Header // without Host (of a request), Transfer-Encoding and Trailer
	trailer http.Header // the names of the Trailer field, nil if there are none

	framing framing
	length  int64 // of the body, if sized; -1 if nobody knows

	close     bool // the connection ends with this message
	keepAlive bool // Connection says keep-alive, which means something in HTTP/1.0
	upgrade   bool // Connection says upgrade
	expect    bool // the caller waits for 100 Continue

	hosts, codings int
	size           int64 // Content-Length, -1 if there is none
	request        bool
	hostAt         int // its place in the list, if hosts is 1
}

// reset makes the head ready for the next message.
func (h *head) reset(request bool) {
	*h = head{fields: h.fields, header: h.header, size: -1, minor: 1, request: request}
	if h.header == nil {
		h.header = make(http.Header, 8)
		h.values = nil
	} else {
		clear(h.header)
	}
}

// see looks at one field and decides whether it goes into the header.
func (h *head) see(name, value []byte) (bool, error) {
	switch string(name) {
	case "Content-Length":
		return h.seeLength(value)
	case "Transfer-Encoding":
		h.codings++
		if h.codings > 1 {
			return false, refuse(http.StatusBadRequest, "more than one Transfer-Encoding")
		}
		if !is(value, "chunked") {
			return false, refuse(http.StatusNotImplemented, "Transfer-Encoding is not exactly chunked")
		}
		return false, nil
	case "Connection":
		h.seeConnection(value)
	case "Host":
		if !h.request {
			return true, nil
		}
		h.hosts++
		if h.hosts > 1 {
			return false, refuse(http.StatusBadRequest, "more than one Host")
		}
		if !isHost(value) {
			return false, refuse(http.StatusBadRequest, "malformed Host")
		}
		h.hostAt = len(h.list) - 1
		return false, nil
	case "Expect":
		if !h.request {
			return true, nil
		}
		if !is(value, "100-continue") {
			return false, refuse(http.StatusExpectationFailed, "unknown expectation")
		}
		h.expect = true
	case "Trailer":
		for name := range bytes.SplitSeq(value, []byte(",")) {
			if key := string(trim(name)); isToken(key) && mayTrail(http.CanonicalHeaderKey(key)) {
				if h.trailer == nil {
					h.trailer = make(http.Header)
				}
				h.trailer[http.CanonicalHeaderKey(key)] = nil
			}
		}
		return false, nil
	case "Content_length", "Transfer_encoding":
		// Gateways that make variables of header names cannot tell these from the real ones.
		return false, refuse(http.StatusBadRequest, "header that gateways take for a framing one")
	}
	return true, nil
}

func (h *head) seeLength(value []byte) (bool, error) {
	n, ok := parseLength(value)
	switch {
	case !ok:
		return false, refuse(http.StatusBadRequest, "malformed Content-Length")
	case h.size >= 0 && n != h.size:
		return false, refuse(http.StatusBadRequest, "conflicting `Content-Length` headers")
	}
	first := h.size < 0
	h.size = n
	return first, nil // equal ones become one
}

// parseLength parses a Content-Length: digits only, no list, no leading zeros (which
// some take for octal), and not beyond an int64.
func parseLength(value []byte) (int64, bool) {
	if len(value) == 0 || len(value) > 1 && value[0] == '0' {
		return 0, false
	}
	var n int64
	for _, c := range value {
		if c < '0' || c > '9' || n > (math.MaxInt64-int64(c-'0'))/10 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func (h *head) seeConnection(value []byte) {
	for len(value) > 0 {
		option := value
		if i := bytes.IndexByte(value, ','); i >= 0 {
			option, value = value[:i], value[i+1:]
		} else {
			value = nil
		}
		switch option = trim(option); {
		case is(option, "close"):
			h.close = true
		case is(option, "keep-alive"):
			h.keepAlive = true
		case is(option, "upgrade"):
			h.upgrade = true
		}
	}
}

// mayTrail reports whether a field may be in a trailer (RFC 9110 §6.5.1): not what
// frames, routes or authenticates a message, which has been decided by then.
func mayTrail(name string) bool {
	switch name {
	case "Content-Length", "Transfer-Encoding", "Trailer", "Host", "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Upgrade",
		"Expect", "Max-Forwards", "Content-Encoding", "Content-Type", "Content-Range", "Range", "Authorization", "Proxy-Authorization",
		"Proxy-Authenticate", "Www-Authenticate", "Cookie", "Set-Cookie", "Forwarded", "Via", "Http2-Settings", "Content_length", "Transfer_encoding":
		return false
	}
	return true
}

// version parses HTTP/1.0 and HTTP/1.1, case-sensitively.
func version(b []byte) (minor int, err error) {
	switch string(b) {
	case "HTTP/1.1":
		return 1, nil
	case "HTTP/1.0":
		return 0, nil
	}
	if len(b) == 8 && string(b[:5]) == "HTTP/" && digit(b[5]) && b[6] == '.' && digit(b[7]) {
		return 1, refuse(http.StatusHTTPVersionNotSupported, "HTTP version is neither 1.0 nor 1.1")
	}
	return 1, refuse(http.StatusBadRequest, "malformed HTTP version")
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
