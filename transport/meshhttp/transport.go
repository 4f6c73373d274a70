package meshhttp

import (
	"net/http"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
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
//
// Bodies pass as they are: unlike http.Transport it asks for no compression behind
// the caller's back and undoes none. The body of a response to CONNECT, and of one
// that switches protocols, is an io.ReadWriteCloser.
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
	if req.RequestURI == "" {
		req = clientForm(req)
	} else {
		req = originForm(req)
	}
	ctx, _, err := extract(req.Context(), &t.opts, req.Header.Clone(), &telemetry.TraceContext{})
	if err != nil {
		return dtab.Path{}, nil, err
	}
	id, err := t.identify(req)
	return id.Path, weft.LocalDtab(ctx), err
}

// RoundTrip implements http.RoundTripper: one request on its way through the mesh.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	x := &exchange{t: t, in: inbound{caller: req, req: clientForm(req), header: req.Header.Clone()}}
	in := &x.in
	if in.header == nil {
		in.header = http.Header{}
	}
	var err error
	carryOn(req.Context(), in.header)
	if in.ctx, in.deadline, err = extract(req.Context(), &t.opts, in.header, &x.trace); err != nil {
		closeBody(req)
		x.refused(err)
		return nil, err
	}
	x.startSpan()
	return x.carry()
}

// identify asks the identifier and dresses its error.
func (t *Transport) identify(req *http.Request) (Identity, error) {
	id, err := t.opts.Identifier.Identify(req)
	if err != nil {
		return Identity{}, &weft.Error{Stage: weft.StageIdentify, Unsent: true, Err: err}
	}
	return id, nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // nobody is interested in it any more
	}
}
