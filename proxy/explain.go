package proxy

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/proxy/plugin"
)

// Question is what Explain is asked: a logical name, or a request.
type Question struct {
	// Name is a logical name such as /svc/web. Request is asked about if it is empty.
	Name dtab.Path
	// Request is a request as the router's servers would get it; see NewRequest.
	Request *http.Request
	// Local is the per-request dtab, before the one that the request's headers carry.
	Local dtab.Dtab
}

// Answer is how a router would route what it was asked about.
type Answer struct {
	// Path is the logical name, identified in the request if one was given.
	Path dtab.Path
	// Local is the per-request dtab in force.
	Local dtab.Dtab
	// Delegation is every step from the name to endpoints.
	Delegation naming.Delegation
}

// Explain says how router r routes a name or a request, without sending anything.
// If ctx ends before every namer has answered, the answer is partial and the error
// says so.
func Explain(ctx context.Context, r *plugin.Router, q Question) (Answer, error) {
	a := Answer{Path: q.Name, Local: q.Local}
	if q.Request != nil && q.Name.IsEmpty() {
		if r.Identify == nil {
			return a, fmt.Errorf("proxy: router %s (%s) has no requests with headers", r.Label, r.Protocol)
		}
		path, local, err := r.Identify(q.Request)
		if err != nil {
			return a, fmt.Errorf("proxy: router %s: %w", r.Label, err)
		}
		a.Path, a.Local = path, q.Local.Concat(local)
	}
	d, ok := r.Interpreter.(naming.Delegator)
	if !ok {
		return a, fmt.Errorf("proxy: router %s: its interpreter cannot explain names", r.Label)
	}
	var err error
	a.Delegation, err = d.Delegate(ctx, a.Local, a.Path)
	return a, err
}

// NewRequest returns a request with a method, a request target and headers such as
// "Host: web", as a listener would see it.
func NewRequest(ctx context.Context, method, target string, headers []string) (*http.Request, error) {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, fmt.Errorf("proxy: request target %q: %w", target, err)
	}
	req := (&http.Request{
		Method: method, URL: u, RequestURI: target, Header: http.Header{},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: u.Host, RemoteAddr: "127.0.0.1:0",
	}).WithContext(ctx)
	for _, h := range headers {
		name, value, ok := strings.Cut(h, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, fmt.Errorf("proxy: header %q: want 'name: value'", h)
		}
		value = strings.TrimSpace(value)
		if strings.EqualFold(name, "host") {
			req.Host = value
			continue
		}
		req.Header.Add(name, value)
	}
	return req, nil
}
