package http2

import (
	"strings"

	"golang.org/x/net/http2/hpack"
)

// head is what the core has to know of a request's or response's fields.
type head struct {
	length  int64 // content-length; -1: none
	status  int   // response
	connect bool  // request: CONNECT, which has no content-length and no body but a tunnel
}

// checkRequest applies RFC 9113 8.2 and 8.3. A reason other than "" says what is
// malformed.
func checkRequest(fields []hpack.HeaderField, extended bool) (h head, reason string) {
	var method, scheme, authority, path, protocol *string
	i := 0
	for ; i < len(fields) && len(fields[i].Name) > 0 && fields[i].Name[0] == ':'; i++ {
		var p **string
		switch fields[i].Name {
		case ":method":
			p = &method
		case ":scheme":
			p = &scheme
		case ":authority":
			p = &authority
		case ":path":
			p = &path
		case ":protocol":
			p = &protocol
		default:
			return h, "unknown pseudo-header " + fields[i].Name
		}
		if *p != nil {
			return h, "pseudo-header " + fields[i].Name + " twice"
		}
		*p = &fields[i].Value
		if !validValue(fields[i].Value) {
			return h, "bad value of " + fields[i].Name
		}
	}
	if method == nil || !validMethod(*method) {
		return h, "missing or bad :method"
	}
	h.connect = *method == "CONNECT"
	switch {
	case protocol != nil && (!extended || !h.connect):
		return h, "unexpected :protocol"
	case h.connect && protocol == nil:
		if scheme != nil || path != nil || authority == nil || *authority == "" {
			return h, "CONNECT needs :authority and neither :scheme nor :path"
		}
	case scheme == nil || *scheme == "" || path == nil || !validPath(*path, *method):
		return h, "missing or bad :scheme or :path"
	}
	host := ""
	if authority != nil {
		if host = *authority; !validAuthority(host) {
			return h, "bad :authority"
		}
	}
	h.length = -1
	reason = checkFields(fields[i:], &h, host)
	return h, reason
}

// checkResponse is checkRequest for responses.
func checkResponse(fields []hpack.HeaderField) (h head, reason string) {
	h.length = -1
	if len(fields) == 0 || fields[0].Name != ":status" {
		return h, "no :status"
	}
	v := fields[0].Value
	if len(v) != 3 || v[0] < '1' || v[0] > '9' || v[1] < '0' || v[1] > '9' || v[2] < '0' || v[2] > '9' {
		return h, "bad :status"
	}
	h.status = int(v[0]-'0')*100 + int(v[1]-'0')*10 + int(v[2]-'0')
	if h.status == 101 {
		return h, "status 101 does not exist in HTTP/2"
	}
	reason = checkFields(fields[1:], &h, "")
	return h, reason
}

// checkFields looks at the fields after the pseudo-headers. host: what a host field must
// agree with; "": anything.
func checkFields(fields []hpack.HeaderField, h *head, host string) string {
	for i := range fields {
		f := &fields[i]
		if !validName(f.Name) {
			return "bad field name, or pseudo-header after other fields"
		}
		if !validValue(f.Value) {
			return "bad value of " + f.Name
		}
		switch f.Name {
		case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
			return "field of HTTP/1 connections: " + f.Name
		case "te":
			if f.Value != "trailers" {
				return "te other than trailers"
			}
		case "content-length":
			n := parseLength(f.Value)
			if n < 0 || h.length >= 0 && n != h.length {
				return "bad content-length"
			}
			h.length = n
		case "host":
			if host != "" && !strings.EqualFold(f.Value, host) {
				return "host and :authority differ"
			}
		}
	}
	return ""
}

// checkTrailer is for the fields after a body.
func checkTrailer(fields []hpack.HeaderField) string {
	var h head
	h.length = -1
	return checkFields(fields, &h, "")
}

func parseLength(v string) int64 {
	if v == "" || len(v) > 18 {
		return -1
	}
	var n int64
	for i := range len(v) {
		d := v[i] - '0'
		if d > 9 {
			return -1
		}
		n = n*10 + int64(d)
	}
	return n
}

// The characters of a token that may be in a field name (RFC 9110 5.6.2, lower case):
// two sets of 64 bits.
const (
	nameLow  = 1<<'!' | 1<<'#' | 1<<'$' | 1<<'%' | 1<<'&' | 1<<'\'' | 1<<'*' | 1<<'+' | 1<<'-' | 1<<'.' | 0x3ff<<'0'
	nameHigh = 1<<('^'-64) | 1<<('_'-64) | 1<<('`'-64) | 0x3ffffff<<('a'-64) | 1<<('|'-64) | 1<<('~'-64)
	upper    = 0x3ffffff << ('A' - 64)
)

func validName(s string) bool {
	for i := range len(s) {
		c := s[i]
		set := uint64(nameLow)
		if c >= 64 {
			set = nameHigh
		}
		if c >= 128 || set>>(c&63)&1 == 0 {
			return false
		}
	}
	return s != ""
}

func validMethod(s string) bool {
	for i := range len(s) {
		c := s[i]
		set := uint64(nameLow)
		if c >= 64 {
			set = nameHigh | upper
		}
		if c >= 128 || set>>(c&63)&1 == 0 {
			return false
		}
	}
	return s != ""
}

// validValue excludes control characters and white space at either end (RFC 9113 8.2.1).
func validValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return s == "" || s[0] > ' ' && s[len(s)-1] > ' '
}

// validPath: the asterisk is for OPTIONS only; an absolute URI is let through for
// routers that rewrite it.
func validPath(s, method string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' {
			return false
		}
	}
	return s[0] == '/' || s == "*" && method == "OPTIONS" || strings.Contains(s, "://")
}

// validAuthority excludes what would change the meaning when it is put into a URI or a
// header of HTTP/1.
func validAuthority(s string) bool { return !strings.ContainsAny(s, " \t/?#\\@\"") }
