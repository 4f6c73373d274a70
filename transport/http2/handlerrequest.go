package http2

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2/hpack"
)

// request makes the http.Request of the fields.
func (c *call) request(ctx context.Context) (*http.Request, error) {
	req := http.Request{Proto: "HTTP/2.0", ProtoMajor: 2, RemoteAddr: c.sc.remote, TLS: c.sc.tls, Body: http.NoBody}
	fields := *c.fields
	var authority, path, protocol string
	i := 0
	for ; i < len(fields) && fields[i].Name[0] == ':'; i++ {
		switch v := fields[i].Value; fields[i].Name {
		case ":method":
			req.Method = v
		case ":authority":
			authority = v
		case ":path":
			path = v
		case ":protocol":
			protocol = v
		}
	}
	req.Header = c.sc.server.names.header(fields[i:])
	c.cookies(req.Header)
	req.Trailer = announced(req.Header)
	if host := req.Header["Host"]; len(host) > 0 {
		if authority == "" {
			authority = host[0]
		}
		delete(req.Header, "Host")
	}
	req.Host = authority
	if protocol != "" {
		req.Header[":protocol"] = []string{protocol}
	}
	if req.Method == http.MethodConnect && protocol == "" {
		req.URL = &url.URL{Host: authority}
		req.RequestURI = authority
	} else {
		u, err := url.ParseRequestURI(path)
		if err != nil {
			return nil, fmt.Errorf("http2: bad :path: %w", err)
		}
		req.URL, req.RequestURI = u, path
	}
	r := req.WithContext(ctx)
	if c.bodied {
		r.ContentLength = c.in.known
		r.Body = &c.in
		c.in.mu.Lock()
		c.in.into = &r.Trailer
		c.in.mu.Unlock()
		if httpguts.HeaderValuesContainsToken(req.Header["Expect"], "100-continue") {
			c.in.before = c.w.continued
		}
	}
	return r, nil
}

// cookies joins what clients may split (RFC 9113 8.2.3).
func (c *call) cookies(h http.Header) {
	if v := h["Cookie"]; len(v) > 1 {
		h["Cookie"] = []string{strings.Join(v, "; ")}
	}
}

// appendField appends a field.
func appendField(fields []hpack.HeaderField, name, value string) []hpack.HeaderField {
	return append(fields, hpack.HeaderField{Name: name, Value: value})
}
