package http1

import (
	"fmt"
	"net/http"
	"net/url"
)

// appendRequest appends the head of req. Whatever would make the endpoint read
// something else than what req says is refused: the error is a *RequestError.
func appendRequest(dst []byte, req *http.Request, minor int, body *outgoing) ([]byte, error) {
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	if !isToken(method) {
		return dst, &RequestError{What: fmt.Sprintf("method %q is not a token", method)}
	}
	dst = append(dst, method...)
	dst = append(dst, ' ')
	dst, err := appendTarget(dst, req)
	if err != nil {
		return dst, err
	}
	if minor == 0 {
		dst = append(dst, " HTTP/1.0\r\n"...)
	} else {
		dst = append(dst, " HTTP/1.1\r\n"...)
	}
	if dst, err = appendHost(dst, req); err != nil {
		return dst, err
	}
	dst, bad := appendFields(dst, req.Header, outgoingFraming)
	if bad != "" {
		return dst, &RequestError{What: fmt.Sprintf("header %s has a name or value that would break the message", bad)}
	}
	if req.Close && !saysClose(req.Header) {
		dst = append(dst, "Connection: close\r\n"...)
	}
	dst = body.appendFraming(dst, method, req.Trailer)
	return append(dst, "\r\n"...), nil
}

// outgoingFraming names the fields that are written from what is done, not from what
// the header says.
func outgoingFraming(name string) bool {
	switch name {
	case "Host", "Content-Length", "Transfer-Encoding", "Trailer":
		return true
	}
	// Other spellings, which a header that was not made by net/http may have.
	switch len(name) {
	case len("Host"), len("Content-Length"), len("Transfer-Encoding"), len("Trailer"):
		switch http.CanonicalHeaderKey(name) {
		case "Host", "Content-Length", "Transfer-Encoding", "Trailer":
			return true
		}
	}
	return false
}

// appendTarget appends the request target: in origin form, unless req.URL.Opaque or
// the method ask for another one.
func appendTarget(dst []byte, req *http.Request) ([]byte, error) {
	u := req.URL
	if u == nil {
		return dst, &RequestError{What: "no URL"}
	}
	begin := len(dst)
	switch {
	case req.Method == http.MethodConnect && u.Path == "":
		host := req.Host
		if host == "" {
			host = u.Host
		}
		if u.Opaque != "" {
			host = u.Opaque
		}
		dst = append(dst, host...)
	case u.Opaque == "" && u.RawPath == "" && !u.ForceQuery && plainPath(u.Path):
		dst = append(dst, u.Path...)
		if u.RawQuery != "" {
			dst = append(dst, '?')
			dst = append(dst, u.RawQuery...)
		}
	default:
		dst = append(dst, requestURI(u)...)
	}
	target := dst[begin:]
	switch {
	case len(target) == 0 || !isVisible(target):
		return dst, &RequestError{What: "the URL has whitespace, control bytes or non-ASCII bytes, or is empty"}
	case target[0] != '/' && u.Opaque == "" && req.Method != http.MethodConnect && string(target) != "*":
		return dst, &RequestError{What: "the URL's path does not begin with a slash"}
	}
	return dst, nil
}

// requestURI is url.URL.RequestURI, except that a path with two slashes at its
// beginning stays one.
func requestURI(u *url.URL) string {
	if u.Opaque != "" {
		return u.RequestURI()
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if u.ForceQuery || u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return path
}

// plainPath reports whether a path is its own escaped form.
func plainPath(p string) bool {
	for i := range len(p) {
		switch c := p[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', digit(c):
		case c == '/', c == '-', c == '_', c == '.', c == '~', c == '$', c == '&', c == '+', c == ',', c == ':', c == ';', c == '=', c == '@':
		default:
			return false
		}
	}
	return p != ""
}

// appendHost appends the Host field. A request of HTTP/1.0 may have none.
func appendHost(dst []byte, req *http.Request) ([]byte, error) {
	host := req.Host
	if host == "" {
		host = req.URL.Host
	}
	dst = append(dst, "Host: "...)
	begin := len(dst)
	dst = append(dst, host...)
	if !isHost(dst[begin:]) {
		return dst, &RequestError{What: fmt.Sprintf("malformed host %q", host)}
	}
	return append(dst, "\r\n"...), nil
}

// saysClose reports whether a Connection field says close.
func saysClose(h http.Header) bool {
	values := h["Connection"]
	if len(values) == 0 {
		return false
	}
	var c head
	for _, v := range values {
		c.seeConnection([]byte(v))
	}
	return c.close
}
