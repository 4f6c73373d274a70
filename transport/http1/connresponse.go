package http1

import (
	"crypto/tls"
	"net/http"
	"strconv"
)

// response makes the *http.Response of the head that was parsed.
func (t *turn) response() *http.Response {
	h := &t.head
	resp := &t.resp
	if !t.pool.o.Recycle {
		resp = new(http.Response)
	}
	*resp = http.Response{
		Status:        t.status.text(h.status, h.reason),
		StatusCode:    h.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    h.minor,
		Header:        h.header,
		ContentLength: h.length,
		Close:         h.close,
		Trailer:       h.trailer,
		Request:       t.req,
		TLS:           t.c.tlsState(),
	}
	if h.minor == 0 {
		resp.Proto = "HTTP/1.0"
	}
	if h.status == http.StatusNotModified && t.req.Method != http.MethodHead {
		resp.ContentLength = 0 // as in net/http; the field, of what was not sent, is in the header
	}
	if h.codings > 0 && !h.bodiless() {
		resp.TransferEncoding = t.chunked[:]
	}
	return resp
}

// statusText remembers the text of the last status line, because most are alike.
type statusText struct {
	status int
	reason string
	whole  string
}

func (s *statusText) text(status int, reason string) string {
	if s.status != status || s.reason != reason {
		s.status, s.reason = status, reason
		s.whole = strconv.Itoa(status)
		if reason != "" {
			s.whole += " " + reason
		}
	}
	return s.whole
}

// tlsState returns what is known of the connection's TLS, nil without it.
func (c *poolConn) tlsState() *tls.ConnectionState {
	if c.secure == nil {
		if conn, ok := c.nc.(interface{ ConnectionState() tls.ConnectionState }); ok {
			state := conn.ConnectionState()
			c.secure = &state
		}
	}
	return c.secure
}
