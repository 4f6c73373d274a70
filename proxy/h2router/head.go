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

// entryOf is what the access log says of an attempt.
func entryOf(router string, e meshh2.AccessEntry) accesslog.Entry {
	status, _ := strconv.Atoi(e.Response.Get(":status"))
	entry := accesslog.Entry{
		Router: router, Host: e.Request.Get(":authority"), Method: e.Request.Get(":method"), URI: e.Request.Get(":path"), Protocol: "HTTP/2",
		Referer: e.Request.Get("referer"), UserAgent: e.Request.Get("user-agent"),
		Status: status, Length: e.Response.Get("content-length"),
		Service: e.Service.String(), Client: e.Client.String(), Endpoint: e.Endpoint, Attempt: e.Attempt, Latency: e.Latency,
		Trace: e.Trace.TraceID(),
	}
	if e.Remote != nil {
		entry.Remote = e.Remote.String()
	}
	return entry
}
