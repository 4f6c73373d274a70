package h2router

import (
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft/proxy/accesslog"
	"github.com/weft-mesh/weft/transport/meshh2"
)

// headOf returns the head that a request would have in HTTP/2, for the identifier
// to read.
func headOf(req *http.Request) *meshh2.Head {
	scheme := "http"
	if req.TLS != nil || req.URL.Scheme == "https" {
		scheme = "https"
	}
	authority := req.Host
	if authority == "" {
		authority = req.URL.Host
	}
	h := &meshh2.Head{Fields: []hpack.HeaderField{
		{Name: ":method", Value: req.Method},
		{Name: ":scheme", Value: scheme},
		{Name: ":authority", Value: authority},
		{Name: ":path", Value: req.URL.RequestURI()},
	}}
	for name, values := range req.Header {
		for _, v := range values {
			h.Fields = append(h.Fields, hpack.HeaderField{Name: strings.ToLower(name), Value: v})
		}
	}
	return h
}

// lineOf is what the access log says of an exchange.
func lineOf(e meshh2.AccessEntry) accesslog.H2Entry {
	status, _ := strconv.Atoi(e.Response.Get(":status"))
	line := accesslog.H2Entry{
		Authority: e.Request.Get(":authority"), Method: e.Request.Get(":method"), Path: e.Request.Get(":path"),
		Status: status, Referer: e.Request.Get("referer"), UserAgent: e.Request.Get("user-agent"),
	}
	if e.Remote != nil {
		line.RemoteAddr = e.Remote.String()
	}
	return line
}
