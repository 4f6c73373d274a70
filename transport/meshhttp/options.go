package meshhttp

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/tap"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http1"
)

// Options configure a Transport.
type Options struct {
	// Mesh configures the router under the transport. Its Interpreter is required;
	// Adapter and Connect in what its Service and Client return are set by this
	// package.
	Mesh transport.Options

	// Service returns what HTTP adds to the settings of a logical name, and Client
	// what it adds to those of a bound name. They are called as those of Mesh are,
	// and may be nil for the defaults.
	Service func(path dtab.Path) ServiceSettings
	Client  func(id dtab.Path) ClientSettings

	// Classifier decides how the outcomes of services count whose settings have none;
	// nil means NonRetryable5XX.
	Classifier Classifier

	// Identifier finds the logical name; nil means the Host header under /svc.
	Identifier Identifier

	// Propagation is the form of the context headers.
	Propagation propagation.Propagator

	// Tracers are told of client spans.
	Tracers *telemetry.Tracers

	// Tap is shown the requests that have ended; nil is nobody.
	Tap *tap.Hub

	// MaxReplayBytes is how much of a request body is kept, while it is sent, so that
	// the request can be sent again. Zero means 64 KiB, a negative number nothing.
	MaxReplayBytes int

	// BufferBytes is the Content-Length up to which a response is read as a whole
	// before it is classified, so that an endpoint that dies in the middle of it
	// costs a retry and not a broken response. Zero means 5 KiB
	// (streamAfterContentLengthKB), a negative number nothing.
	BufferBytes int64

	// AdvisoryDeadline passes l5d-ctx-deadline on without going by it, as Linkerd
	// does. By default a request is answered with 503 when the deadline that came
	// with it has passed, and is not sent after it.
	AdvisoryDeadline bool

	// NetHTTP sends requests with net/http's http.Transport in place of weft's own
	// engines (packages transport/http1 and transport/http2). The two behave alike,
	// and this is for the day on which they do not.
	NetHTTP bool

	// Recycle is for a Transport that only Handlers of this package use, which keep
	// nothing of a response: what responses are made of is used again.
	Recycle bool

	// wire makes what reaches an endpoint; nil goes by NetHTTP.
	wire func(weft.Endpoint, ClientSettings, *clientStats) upstream
}

// ServiceSettings are the HTTP settings of a logical name.
type ServiceSettings struct {
	// Classifier decides how outcomes count; nil means that of Options.
	Classifier Classifier
}

// ClientSettings are the HTTP settings of a bound name.
type ClientSettings struct {
	// Pool bounds the connections to each endpoint.
	Pool PoolOptions
	// TLS returns the configuration of a new connection; nil means cleartext. It is
	// called for every connection, so that replaced certificates take effect.
	TLS func() (*tls.Config, error)
	// Dial makes a connection to an endpoint; nil means TCP. TLS goes on top.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// HTTP2 sends requests over HTTP/2 connections that all callers share, to endpoints
	// that understand it by prior knowledge or, with TLS, by ALPN: another weft, which
	// may go on with HTTP/1 behind it.
	HTTP2 bool
	// ForwardClientCert sends the caller's certificate on in
	// X-Forwarded-Client-Cert. Without it, or without a certificate, the header is
	// removed: what a caller says of itself is not to be believed.
	ForwardClientCert bool
	// AccessLog is told of every attempt that got a response; nil of none.
	AccessLog func(AccessEntry)
	// Nack bounds what is sent to a cluster that rejects most of it.
	Nack circuit.NackOptions
}

// AccessEntry is one line of an access log.
type AccessEntry struct {
	Request  *http.Request  // as it was sent; must not be changed
	Response *http.Response // must not be changed, nor its body read

	Service  dtab.Path       // the logical name
	Client   dtab.Path       // the bound id
	Endpoint string          // host:port
	Attempt  int             // 1 is the first one
	Latency  time.Duration   // from the pick to the head of the response
	Trace    telemetry.Trace // of the request
}

const (
	defaultReplay = 64 << 10
	defaultBuffer = 5 << 10
)

func (o Options) withDefaults() Options {
	if o.Identifier == nil {
		o.Identifier = HeaderToken{Prefix: DefaultPrefix()}
	}
	switch {
	case o.MaxReplayBytes == 0:
		o.MaxReplayBytes = defaultReplay
	case o.MaxReplayBytes < 0:
		o.MaxReplayBytes = 0
	}
	if o.BufferBytes == 0 {
		o.BufferBytes = defaultBuffer
	}
	wire := o.wire
	if wire == nil {
		netHTTP, recycle, spares := o.NetHTTP, o.Recycle, new(http1.Spares)
		wire = func(ep weft.Endpoint, s ClientSettings, m *clientStats) upstream {
			switch {
			case netHTTP:
				return newNetWire(ep, s, m)
			case s.HTTP2:
				return newH2Wire(ep, s, m, recycle, spares)
			default:
				return newH1Wire(ep, s, m, recycle, spares)
			}
		}
	}
	service, client := o.Mesh.Service, o.Mesh.Client
	o.Mesh.Service = func(path dtab.Path) transport.ServiceOptions {
		var s transport.ServiceOptions
		if service != nil {
			s = service(path)
		}
		var set ServiceSettings
		if o.Service != nil {
			set = o.Service(path)
		}
		if set.Classifier == nil {
			set.Classifier = o.Classifier
		}
		s.Adapter = &set
		return s
	}
	o.Mesh.Client = func(id dtab.Path) transport.ClientOptions {
		var c transport.ClientOptions
		if client != nil {
			c = client(id)
		}
		var set ClientSettings
		if o.Client != nil {
			set = o.Client(id)
		}
		st := newClientState(set, wire)
		c.Adapter = st
		c.Connect = st.connect
		return c
	}
	return o
}
