package meshh2

import (
	"strconv"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/tap"
)

// offer shows the request to those who watch, when its response has ended, or there will
// be none. It is called with the lock held, before the request is dropped.
func (x *exchange) offer(t *tap.Hub, res weft.Result) {
	req := &x.req
	status, _ := strconv.Atoi(x.status) // 0 without a response
	e := tap.Event{
		Time: x.begun, Router: x.h.opts.Label, Server: x.peer.local.String(), Peer: x.peer.remote.String(), Protocol: "HTTP/2",
		Method: req.Method, Host: req.authority, Path: req.Get(namePath),
		Endpoint: x.avoid, Attempts: x.tries, Status: status, Class: res.Class.String(), LatencyMs: x.elapsed().Seconds() * 1000,
		RequestBytes: x.stream.request.bytes, ResponseBytes: x.stream.response.bytes,
	}
	if e.Host == "" { // no attempt has taken it out of the fields
		e.Host = req.Get(nameAuthority)
	}
	if !req.Trace.IsZero() {
		e.Trace = req.Trace.TraceID()
	}
	if x.dest != nil {
		e.Service = x.dest.Path().String()
	}
	if x.client != nil {
		e.Client = x.client.ID().String()
	}
	if res.Err != nil {
		e.Error = res.Err.Error()
	}
	t.Offer(&e, func(yield func(string, string) bool) {
		for _, f := range req.Fields {
			if !strings.HasPrefix(f.Name, ":") && !yield(f.Name, f.Value) {
				return
			}
		}
	})
}
