package meshhttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
)

// errNoConnection is about a client that another adapter made.
var errNoConnection = errors.New("meshhttp: the endpoint has no connection of this package")

// request makes the outgoing request of this attempt.
func (a *attempt) request(loop context.Context) *http.Request {
	x := a.x
	trace, deadline := propagation.ClientTrace(x.in.ctx, x.t.opts.Tracers), x.deadline
	if limit := a.pick.Client.Options().AttemptTimeout; limit > 0 {
		now := time.Now()
		deadline = deadline.Combine(propagation.Deadline{Timestamp: now, At: now.Add(limit)})
	}

	if a.n > 0 {
		x.header.Header = x.header.Clone() // the previous attempt may still be writing it
	}
	header := &x.header
	header.Set(headerDstClient, a.pick.Client.ID().String())
	if a.pick.Residual.IsEmpty() {
		header.Del(headerDstRes) // the previous attempt's, or one that is not ours
	} else {
		header.Set(headerDstRes, a.pick.Residual.String())
	}
	x.t.opts.Propagation.InjectSpan(x.in.ctx, trace, deadline, header)
	forwardClientCert(header.Header, a.state.ForwardClientCert, x.in.caller.TLS)

	a.span = x.t.opts.Tracers.Start(trace, telemetry.ClientSpan, x.in.req.Method)
	a.annotateBegin()

	out := &a.out
	if ctx := a.limit(x.in.ctx, loop); ctx == x.in.req.Context() {
		*out = *x.in.req
	} else {
		out = x.in.req.WithContext(ctx)
	}
	a.url = x.url
	out.URL, out.Header, out.RequestURI = &a.url, header.Header, ""
	out.Close, out.TransferEncoding, out.TLS = false, nil, nil // these are of the other connection
	out.Body, out.GetBody, out.Trailer = nil, nil, nil
	if authority := a.pick.Client.Meta()["authority"]; authority != "" {
		out.Host = authority
	}
	if x.body != nil {
		out.Trailer = x.body.trailerNames()
		out.Body = x.body.next(out.Trailer)
		out.GetBody = func() (io.ReadCloser, error) { return x.body.again(out.Trailer) }
	}
	return out
}

// exchange does what is specific to the endpoint: a real one is sent the request,
// TRACE may be answered on the way, and a name such as /$/io.buoyant.http.status
// has no endpoint at all.
func (a *attempt) exchange(req *http.Request) (*http.Response, error) {
	if err := checkFraming(req.Header); err != nil {
		return textResponse(req, http.StatusBadRequest, err.Error(), true), nil
	}
	a.sending.traced = a.span != nil
	a.sending.limited = a.cancel != nil
	switch conn := a.pick.Conn().(type) {
	case upstream:
		switch req.Method {
		case http.MethodTrace:
			return a.diagnose(req, conn)
		case http.MethodConnect:
			return tunnel(req, conn)
		default:
			return conn.send(req, &a.sending)
		}
	case localAnswer:
		return conn.roundTrip(req)
	default:
		return nil, errNoConnection
	}
}
