package meshhttp

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
)

// inbound is a request as it enters the mesh, from a caller in the process or from
// a listener.
type inbound struct {
	caller *http.Request // as it came; never changed
	req    *http.Request // with Host and a relative URI, for the identifier

	// ctx is the caller's, with the per-request dtab, the trace and the deadline that
	// the next hop is told. It ends when the caller goes away.
	ctx    context.Context //nolint:containedctx // inbound is a parameter list
	header http.Header     // without what is in ctx; the exchange may change it

	deadline propagation.Deadline // that came with the request
	timeout  time.Duration        // of the listener; zero is none
	begun    time.Time            // when the timeout began; zero is now
	span     *telemetry.Span      // the server span, if anybody wants one
	label    string               // of the listener
	proxied  bool                 // came over a connection that is not the caller's own
	body     *bodyState           // of a listener's request with a body
}

// bodyState is how far the reading of a request's body has got.
type bodyState struct{ begun, ended atomic.Bool }

// halfRead reports whether somebody may still be reading.
func (s *bodyState) halfRead() bool { return s != nil && s.begun.Load() && !s.ended.Load() }

// extract reads the context headers and removes them from h. The deadline is
// returned and advertised, not made the context's own as Propagator.Extract would:
// it ends when the response begins. Whoever set it has waited for the head only,
// and would not want the next hop to cut the stream that follows.
//
// place is where the context may put the trace.
func extract(
	ctx context.Context, o *Options, h http.Header, place *telemetry.TraceContext,
) (context.Context, propagation.Deadline, error) {
	c := carrier(h)
	d := propagation.TakeDeadline(c)
	local, err := propagation.TakeDtab(c)
	if err != nil {
		return ctx, d, &weft.Error{Stage: weft.StageIdentify, Unsent: true, Err: err}
	}
	ctx = weft.AddDtab(ctx, local)
	if t, changed := o.Propagation.TakeTrace(ctx, c, o.Tracers); changed {
		place.Context, place.Trace = ctx, t
		ctx = place
	}
	return propagation.Advertise(ctx, d), d, nil
}

// deadlineError says that the deadline passed that came with a request.
type deadlineError struct{}

// Error returns the reason.
func (deadlineError) Error() string {
	return "meshhttp: the deadline that came with the request has passed"
}

// Timeout reports true, as for net.Error.
func (deadlineError) Timeout() bool { return true }

// Is makes it a timeout to errors.Is, like those of the router and of contexts.
func (deadlineError) Is(target error) bool {
	return target == context.DeadlineExceeded || target == transport.ErrTimeout
}

// carrier lets package propagation read and write an http.Header, whose keys are
// spelled as that package spells them.
type carrier http.Header

// Values implements propagation.Carrier.
func (c carrier) Values(key string) []string { return c[key] }

// Set implements propagation.Carrier.
func (c carrier) Set(key, value string) { c[key] = []string{value} }

// Del implements propagation.Carrier.
func (c carrier) Del(key string) { delete(c, key) }
