package meshh2

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// maxTimeout is the longest grpc-timeout that is one: what is beyond it is meant as
// none, and would be beyond what l5d-ctx-deadline can say.
const maxTimeout = 100 * 365 * 24 * time.Hour

// Request is the head of a request on its way through the mesh, and what its fields
// said. Load, Arrive, Route and, for each attempt, Depart are called in that order.
// It may be used again for another request after Load.
type Request struct {
	Head

	// Method is :method, GRPC whether the content type is that of gRPC.
	Method string
	GRPC   bool

	// Local is the per-request dtab that came, Trace the trace of this hop's server
	// span.
	Local dtab.Dtab
	Trace telemetry.Trace

	// Deadline is what came in l5d-ctx-deadline and, if Timeout is set, grpc-timeout;
	// it is over when the response begins, but see End.
	Deadline propagation.Deadline

	// End is when a gRPC call is over that has a grpc-timeout, the response with all
	// its messages included; zero means that there is none.
	End time.Time

	departed  bool   // an attempt has added its fields
	authority string // as the endpoint gets it unless its own replaces it
}

// Arrive does what the listener does: it reads and removes the context, counts the
// hops and names the caller's end of the connection. ctx is that of the connection
// (see meshhttp.WithConnLabel); its own dtab and trace hold where the request has
// none.
//
// The error is for Answer: a dtab that does not parse, or a *CallDepthError.
func (r *Request) Arrive(ctx context.Context, in *Inbound, local, remote net.Addr) error {
	r.Local, r.Deadline, r.End = nil, propagation.Deadline{}, time.Time{}
	r.departed, r.authority = false, ""
	if in.ClearContext {
		clearRequest(&r.Head)
	}
	seen := r.survey()
	// A bad dtab is the caller's mistake and is answered before anything else looks at
	// the request.
	if seen.context {
		r.Deadline = propagation.TakeDeadline(&r.Head)
		own, err := propagation.TakeDtab(&r.Head)
		if err != nil {
			r.Trace = telemetry.Trace{}
			return &weft.Error{Stage: weft.StageIdentify, Unsent: true, Err: err}
		}
		r.Local = own
		if in.ClearContext {
			r.Trace = in.Propagation.Restart(&r.Head, in.Tracers)
		} else {
			r.Trace, _ = in.Propagation.TakeTrace(ctx, &r.Head, in.Tracers)
		}
	} else if t, ok := telemetry.TraceFrom(ctx); ok {
		r.Trace = t
	} else {
		r.Trace = in.Tracers.Decide(telemetry.NewTrace())
	}
	if seen.timeout && r.GRPC {
		r.takeTimeout()
	}
	if limit := in.maxCallDepth(); seen.hops > limit {
		return &weft.Error{Stage: weft.StageIdentify, Unsent: true, Err: &CallDepthError{Max: limit}}
	}
	if in.Forwarded != nil {
		addForwarded(ctx, &r.Head, in.Forwarded, local, remote)
	}
	if seen.absolute {
		originForm(&r.Head)
	}
	return nil
}

// survey is what one look at all fields says about which of them Arrive has to do
// with: most requests have none.
type survey struct {
	context  bool // l5d-*, x-b3-*, b3 or traceparent
	timeout  bool // grpc-timeout
	absolute bool // :path is not relative
	hops     int  // in via
}

// survey looks at every field once. It sets Method and GRPC.
func (r *Request) survey() survey {
	var s survey
	r.Method, r.GRPC = "", false
	for i := range r.Fields {
		f := &r.Fields[i]
		switch f.Name {
		case nameMethod:
			r.Method = f.Value
		case namePath:
			s.absolute = f.Value != "" && f.Value[0] != '/'
		case nameType:
			r.GRPC = r.GRPC || isGRPC(f.Value)
		case nameTimeout:
			s.timeout = true
		case nameVia:
			if f.Value != "" {
				s.hops += strings.Count(f.Value, ",") + 1
			}
		default:
			s.context = s.context || strings.HasPrefix(f.Name, prefixL5d) || strings.HasPrefix(f.Name, prefixB3) ||
				f.Name == nameTraceParent || f.Name == nameB3
		}
	}
	return s
}

// takeTimeout reads grpc-timeout. The field stays where it is until Depart says how
// much of it is left.
func (r *Request) takeTimeout() {
	v, ok := r.Lookup(nameTimeout)
	if !ok {
		return
	}
	d, ok := ParseTimeout(v)
	if !ok {
		return // the endpoint's to complain about
	}
	if d > maxTimeout {
		return
	}
	now := time.Now()
	r.End = now.Add(d)
	r.Deadline = r.Deadline.Combine(propagation.Deadline{Timestamp: now, At: r.End})
}

// Route does what the router does once the name is known. What a caller says that
// is the mesh's to say is removed.
func (r *Request) Route(name dtab.Path) {
	r.removeIf(func(name string) bool {
		switch name {
		case nameDstService, nameDstClient, nameDstRes, nameClientCert:
			return true
		}
		return false
	})
	AppendVia(&r.Head)
	r.add(nameDstService, name.String())
	r.departed, r.authority = false, r.Get(nameAuthority)
}

// Departure is what an attempt adds.
type Departure struct {
	Client, Residual dtab.Path
	// Authority replaces the caller's, if it is not empty.
	Authority string
	// Trace is that of the client span.
	Trace telemetry.Trace
	// Deadline is that of the attempt; it is combined with that of the request.
	Deadline propagation.Deadline
	// ClientCert is the caller's connection if its certificate is to be told, else
	// nil. A connection without one adds nothing: what an anonymous caller says about
	// its certificate has been removed.
	ClientCert *tls.ConnectionState
}

// Depart makes the head that an endpoint gets. It may be called once per attempt;
// what the one before has added goes. ctx has the per-request dtab in force.
func (r *Request) Depart(ctx context.Context, p propagation.Propagator, to Departure) {
	if r.departed {
		for _, name := range [...]string{nameDstClient, nameDstRes, nameClientCert} {
			r.Del(name)
		}
	}
	if to.Authority == "" && r.departed {
		to.Authority = r.authority
	}
	if to.Authority != "" {
		r.Set(nameAuthority, to.Authority)
	}
	r.departed = true
	if !r.End.IsZero() {
		// An attempt's timeout is not in this: it is over when the response begins.
		r.Set(nameTimeout, FormatTimeout(time.Until(r.End)))
	}
	r.add(nameDstClient, to.Client.String())
	if !to.Residual.IsEmpty() {
		r.add(nameDstRes, to.Residual.String())
	}
	if s := to.ClientCert; s != nil && len(s.PeerCertificates) > 0 {
		r.add(nameClientCert, meshhttp.DescribeCert(s.PeerCertificates[0]))
	}
	p.InjectSpan(ctx, to.Trace, r.Deadline.Combine(to.Deadline), &r.Head)
}

// IsGRPC reports whether the content type of a request is that of gRPC over HTTP/2,
// with or without the name of a codec. grpc-web is another protocol.
func IsGRPC(req *Head) bool { return isGRPC(req.Get(nameType)) }

func isGRPC(contentType string) bool {
	rest, ok := strings.CutPrefix(contentType, "application/grpc")
	return ok && (rest == "" || rest[0] == '+' || rest[0] == ';')
}
