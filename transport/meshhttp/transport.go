package meshhttp

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
)

// Transport is an http.RoundTripper that sends requests through the mesh. The
// scheme of a request's URL does not matter and its host is only what the
// identifier makes of it; how an endpoint is reached is for the client settings to
// say. It is safe for concurrent use.
//
// Errors are *weft.Error; Respond makes them the responses that Linkerd sends. An
// endpoint's own answer, a 500 too, is a response.
type Transport struct {
	opts   Options
	router *transport.Router
}

// New returns a Transport with a router of its own. Close ends both.
func New(opts Options) (*Transport, error) {
	opts = opts.withDefaults()
	r, err := transport.NewRouter(opts.Mesh)
	if err != nil {
		return nil, err
	}
	return &Transport{opts: opts, router: r}, nil
}

// Router returns the router under the transport.
func (t *Transport) Router() *transport.Router { return t.router }

// Close ends the router's bindings, clients and idle connections and waits for
// its goroutines. Requests under way are not disturbed.
func (t *Transport) Close() error { return t.router.Close() }

// Identify returns the logical name of a request and the per-request dtab that its
// headers carry, without sending it anywhere.
func (t *Transport) Identify(req *http.Request) (dtab.Path, dtab.Dtab, error) {
	req = originForm(req)
	ctx, cancel, err := t.opts.Propagation.Extract(req.Context(), carrierOf(req.Header.Clone()))
	defer cancel()
	if err != nil {
		return dtab.Path{}, nil, &weft.Error{Stage: weft.StageIdentify, Unsent: true, Err: err}
	}
	id, err := t.identify(req)
	return id.Path, weft.LocalDtab(ctx), err
}

// RoundTrip implements http.RoundTripper: one request on its way through the mesh.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	x := &exchange{t: t, caller: req, started: time.Now(), span: spanFrom(req.Context())}

	// The forward-proxy form first: everything below sees Host and a relative URI.
	out := originForm(req)

	// Context headers next, because they change which name leads where. A request
	// that comes from Handler has none left.
	x.header = out.Header.Clone()
	if x.header == nil {
		x.header = http.Header{}
	}
	ctx, cancel, err := t.opts.Propagation.Extract(req.Context(), carrierOf(x.header))
	if err != nil {
		closeBody(req)
		return nil, &weft.Error{Stage: weft.StageIdentify, Unsent: true, Err: err}
	}
	x.ctx, x.cancel = ctx, cancel

	id, err := t.identify(out)
	if err != nil {
		x.end()
		closeBody(req)
		return nil, err
	}
	x.prepare(out, id)

	// Everything that is kept between requests hangs on the Dest: the binding, the
	// retry budget, the metrics of the logical name.
	x.dest = t.router.Dest(id.Path, weft.LocalDtab(ctx))
	x.service, _ = x.dest.Options().Adapter.(*ServiceSettings)

	// The total timeout is outside the retry loop, so that it covers all attempts
	// and the delays between them, and ends when the response begins: a stream may
	// take as long as it likes.
	loop, stop := x.totalTimeout()
	defer stop()
	resp, res := retry.Do(loop, x.dest.Policy(), x.attempt, discard)
	return x.finish(resp, res)
}

// identify asks the identifier and dresses its error.
func (t *Transport) identify(req *http.Request) (Identity, error) {
	id, err := t.opts.Identifier.Identify(req)
	if err != nil {
		return Identity{}, &weft.Error{Stage: weft.StageIdentify, Unsent: true, Err: err}
	}
	return id, nil
}

// exchange is one request with all its attempts.
type exchange struct {
	t       *Transport
	caller  *http.Request // as RoundTrip got it
	ctx     context.Context
	cancel  context.CancelFunc
	started time.Time

	header  http.Header // of the outgoing request, decorated once
	uri     *url.URL
	host    string
	upgrade string // the protocol that the caller wants to switch to
	body    *replay
	avoid   string // the endpoint of the previous attempt

	dest     *transport.Dest
	service  *ServiceSettings
	deadline propagation.Deadline // of the total timeout, for the header
	span     *telemetry.Span      // the server span around the exchange, if any
}

// prepare makes the parts of the outgoing request that all attempts share. The
// order is Linkerd's: first what the mesh adds, then the hop-by-hop headers go, so
// that a Connection header can take back what was added before it.
func (x *exchange) prepare(out *http.Request, id Identity) {
	x.upgrade = upgradeOf(x.header)
	x.uri, x.host = out.URL, out.Host
	if x.host == "" {
		x.host = out.URL.Host
	}
	if id.URI != "" {
		x.uri = withURI(out.URL, id.URI)
	}
	x.header[headerDstService] = []string{id.Path.String()}
	appendVia(x.header, max(out.ProtoMajor, 1), minor(out))
	stripHopByHop(x.header)
	if x.upgrade != "" {
		x.header["Connection"], x.header["Upgrade"] = []string{"Upgrade"}, []string{x.upgrade}
	}
	if out.Body != nil && out.Body != http.NoBody {
		x.body = newReplay(out.Body, x.t.opts.MaxReplayBytes)
	}
}

// totalTimeout returns the context of the retry loop.
func (x *exchange) totalTimeout() (context.Context, context.CancelFunc) {
	limit := x.dest.Options().TotalTimeout
	if limit <= 0 {
		return x.ctx, func() {}
	}
	x.deadline = propagation.Deadline{Timestamp: x.started, At: x.started.Add(limit)}
	return context.WithTimeoutCause(x.ctx, limit, &weft.Error{
		Stage: weft.StageDeadline, Dst: x.dest.Path(),
		Err: &transport.TimeoutError{Limit: limit, To: x.t.router.Options().Label},
	})
}

// finish turns the last outcome into what RoundTrip returns, and records the
// request. What is still open belongs to the response's body from here on.
func (x *exchange) finish(resp *http.Response, res weft.Result) (*http.Response, error) {
	res.Latency = time.Since(x.started)
	if resp == nil {
		err := res.Err
		if err == nil {
			err = errors.New("meshhttp: no response")
		}
		x.dest.Done(res)
		x.end()
		var e *weft.Error
		if !errors.As(err, &e) {
			err = &weft.Error{Stage: weft.StageReceive, Dst: x.dest.Path(), Err: err}
		}
		return nil, err
	}
	x.dress(resp, res.Class)
	x.dest.Record(res)
	x.release(resp)
	return resp, nil
}

// dress adds what a response gets on its way back: the class below the hop-by-hop
// headers, Via above them.
func (x *exchange) dress(resp *http.Response, class weft.Class) {
	success := "0.0"
	if class == weft.Success {
		success = "1.0"
	}
	resp.Header[headerSuccess] = []string{success}
	upgrade := ""
	if resp.StatusCode == http.StatusSwitchingProtocols {
		upgrade = upgradeOf(resp.Header)
	}
	stripHopByHop(resp.Header)
	if upgrade != "" {
		resp.Header["Connection"], resp.Header["Upgrade"] = []string{"Upgrade"}, []string{upgrade}
	}
	appendVia(resp.Header, resp.ProtoMajor, resp.ProtoMinor)
	resp.Request = x.caller
}

// end releases the context and the caller's body.
func (x *exchange) end() {
	x.cancel()
	if x.body != nil {
		_ = x.body.close() // it has been read as far as anybody wanted it
	}
}

// originForm turns a request in absolute form, as forward proxies get it, into
// one with Host and a relative URI. The path and query stay byte for byte.
func originForm(req *http.Request) *http.Request {
	if req.RequestURI == "" || req.Method == http.MethodConnect || !strings.Contains(req.RequestURI, "://") {
		return req
	}
	u, err := url.Parse(req.RequestURI)
	if err != nil || u.Host == "" {
		return req
	}
	out := *req
	rest := req.RequestURI[strings.Index(req.RequestURI, "://")+3:]
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		rest = rest[i:]
	} else {
		rest = "/"
	}
	if rest[0] == '?' {
		rest = "/" + rest
	}
	out.Host, out.RequestURI = u.Host, rest
	out.URL = withURI(&url.URL{Scheme: u.Scheme, Host: u.Host}, rest)
	return &out
}

// withURI returns base with the path and query of uri, kept exactly as they are
// spelled.
func withURI(base *url.URL, uri string) *url.URL {
	u := *base
	path, query, hasQuery := strings.Cut(uri, "?")
	u.RawQuery, u.ForceQuery = query, hasQuery && query == ""
	u.RawPath = ""
	if decoded, err := url.PathUnescape(path); err == nil {
		u.Path, u.RawPath = decoded, path
	} else {
		u.Path = path
	}
	u.Opaque = ""
	return &u
}

func minor(req *http.Request) int {
	if req.ProtoMajor == 0 {
		return 1 // a request made by hand
	}
	return req.ProtoMinor
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// carrierOf lets package propagation read and write an http.Header.
type carrier http.Header

func carrierOf(h http.Header) carrier { return carrier(h) }

func (c carrier) Values(key string) []string { return c[key] }
func (c carrier) Set(key, value string)      { c[key] = []string{value} }
func (c carrier) Del(key string)             { delete(c, key) }
