package httprouter

import (
	"strconv"

	"github.com/weft-mesh/weft/proxy/accesslog"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// entryOf is what the access log says of an attempt.
func entryOf(router string, e meshhttp.AccessEntry) accesslog.Entry {
	req, resp := e.Request, e.Response
	entry := accesslog.Entry{
		Router: router, Method: req.Method, Host: req.Host, URI: req.URL.RequestURI(), Protocol: req.Proto, Remote: req.RemoteAddr,
		Referer: req.Header.Get("Referer"), UserAgent: req.Header.Get("User-Agent"),
		Status: resp.StatusCode, Length: resp.Header.Get("Content-Length"),
		Service: e.Service.String(), Client: e.Client.String(), Endpoint: e.Endpoint, Attempt: e.Attempt, Latency: e.Latency,
		Trace: e.Trace.TraceID(),
	}
	if entry.Length == "" && resp.ContentLength > 0 {
		entry.Length = strconv.FormatInt(resp.ContentLength, 10)
	}
	return entry
}
