package meshhttp

import (
	"fmt"
	"net/http"
	"net/textproto"
	"strings"
)

// The l5d headers of requests and responses, in the spelling of http.Header. Those
// that carry context are in package propagation.
const (
	headerDstService = "L5d-Dst-Service"
	headerDstClient  = "L5d-Dst-Client"
	headerDstRes     = "L5d-Dst-Residual"
	headerSuccess    = "L5d-Success-Class"
	headerRetryable  = "L5d-Retryable"
	headerErr        = "L5d-Err"
	headerAddContext = "L5d-Add-Context"
	headerVia        = "Via"
	headerNack       = "Finagle-Http-Nack"
	headerNackNoRe   = "Finagle-Http-Nonretryable-Nack"
	headerReplayable = "Finagle-Http-Retryable-Request"
	headerClientCert = "X-Forwarded-Client-Cert"
	prefixL5d        = "L5d-"

	// These two belong together.
	headerTraceParent = "Traceparent"
	headerTraceState  = "Tracestate"
)

// stripHopByHop removes the headers that concern one connection only, and those
// that Connection names. Only the first Connection header is read, as in Linkerd;
// Keep-Alive goes only if it is named.
func stripHopByHop(h http.Header) {
	if c := h["Connection"]; len(c) > 0 {
		for token := range strings.SplitSeq(c[0], ",") {
			if token = strings.TrimSpace(token); token != "" {
				h.Del(token)
			}
		}
	}
	for _, name := range [...]string{"Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Connection"} {
		delete(h, name)
	}
}

// via returns the Via header with this hop added. A message keeps one Via header;
// further ones are dropped, as in Linkerd.
func via(h http.Header, major, minor int) string {
	hop := "1.1 linkerd"
	if major != 1 || minor != 1 {
		hop = fmt.Sprintf("%d.%d linkerd", major, minor)
	}
	if old := h[headerVia]; len(old) > 0 {
		return old[0] + ", " + hop
	}
	return hop
}

// callDepth counts the hops in the first Via header.
func callDepth(h http.Header) int {
	v := h[headerVia]
	if len(v) == 0 || v[0] == "" {
		return 0
	}
	return strings.Count(v[0], ",") + 1
}

// upgradeOf returns the protocol that the message asks, or agrees, to switch to.
// HTTP/2 is none: what follows would not be understood here.
func upgradeOf(h http.Header) string {
	for _, v := range h["Connection"] {
		for token := range strings.SplitSeq(v, ",") {
			if !strings.EqualFold(textproto.TrimString(token), "upgrade") {
				continue
			}
			if to := h.Get("Upgrade"); !strings.EqualFold(to, "h2c") {
				return to
			}
		}
	}
	return ""
}

// stripL5d removes every l5d-* header and reports whether l5d-err was among them.
func stripL5d(h http.Header) (hadErr bool) {
	for name := range h {
		if len(name) >= len(prefixL5d) && strings.EqualFold(name[:len(prefixL5d)], prefixL5d) {
			hadErr = hadErr || strings.EqualFold(name, headerErr)
			delete(h, name)
		}
	}
	return hadErr
}

// FramingError says that a message's length is ambiguous.
type FramingError struct{ Reason string }

// Error returns the reason.
func (e *FramingError) Error() string { return e.Reason }

// checkFraming refuses a message with different Content-Length values: two parsers
// could disagree on where it ends.
func checkFraming(h http.Header) error {
	cl := h["Content-Length"]
	for _, v := range cl {
		if v != cl[0] {
			return &FramingError{Reason: "conflicting `Content-Length` headers"}
		}
	}
	return nil
}
