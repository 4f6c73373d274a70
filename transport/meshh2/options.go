package meshh2

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/tap"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http2"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// Options configure a Relay.
type Options struct {
	// Mesh configures the router under the relay. Its Interpreter is required; Adapter
	// and Connect in what its Service and Client return are set by this package.
	Mesh transport.Options

	// Service returns what HTTP/2 adds to the settings of a logical name, and Client
	// what it adds to those of a bound name. They are called as those of Mesh are,
	// and may be nil for the defaults.
	Service func(path dtab.Path) ServiceSettings
	Client  func(id dtab.Path) ClientSettings

	// Classifier decides how the outcomes of services count whose settings have none;
	// nil means NonRetryable5XX.
	Classifier Classifier

	// Identifier finds the logical name; nil means :authority under /svc.
	Identifier Identifier

	// Propagation is the form of the context headers.
	Propagation propagation.Propagator

	// Tracers are told of client spans, and of the server spans of Handlers.
	Tracers *telemetry.Tracers

	// Tap is shown the requests that have ended; nil is nobody.
	Tap *tap.Hub

	// AdvisoryDeadline passes l5d-ctx-deadline on without going by it, as Linkerd
	// does. By default a request fails when the deadline that came with it passes
	// before its response begins. A grpc-timeout is always gone by, to the end of the
	// response.
	AdvisoryDeadline bool
}

// ServiceSettings are the HTTP/2 settings of a logical name.
type ServiceSettings struct {
	// Classifier decides how outcomes count; nil means that of Options.
	Classifier Classifier

	// ClassificationTimeout is how long a response is withheld at most that may have to
	// be thrown away for a retry, because only its end tells how it counts. Zero means
	// 100 ms, a negative time none.
	ClassificationTimeout time.Duration

	// RequestBytes is how much of a request's body is kept, while it is sent, so that
	// the request can be sent again. Zero means 16,383, a negative number nothing.
	RequestBytes int

	// ResponseBytes is how much of a response's body is withheld at most. Zero means
	// 16,383, a negative number nothing.
	ResponseBytes int
}

// ClientSettings are the HTTP/2 settings of a bound name.
type ClientSettings struct {
	// TLS returns the configuration of a new connection; nil means cleartext. It is
	// called for every connection, so that replaced certificates take effect. The
	// protocol offered is always h2.
	TLS func() (*tls.Config, error)
	// Dial makes a connection to an endpoint; nil means TCP. TLS goes on top.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// ConnectTimeout bounds a TCP connect; zero means 1 s.
	ConnectTimeout time.Duration
	// Conn configures the connections.
	Conn http2.Options
	// ForwardClientCert sends the caller's certificate on in
	// x-forwarded-client-cert. Without it, or without a certificate, the field is
	// removed: what a caller says of itself is not to be believed.
	ForwardClientCert bool
	// AccessLog is told of every attempt that got a response; nil of none. It must not
	// block.
	AccessLog func(AccessEntry)
}

// AccessEntry is one line of an access log. The heads must not be changed and hold
// only while AccessLog runs.
type AccessEntry struct {
	Request  *Head    // as it was sent
	Response *Head    // as it came
	Remote   net.Addr // the caller

	Service  dtab.Path       // the logical name
	Client   dtab.Path       // the bound id
	Endpoint string          // host:port
	Attempt  int             // 1 is the first one
	Latency  time.Duration   // from the pick to the head of the response
	Trace    telemetry.Trace // of the request
}

const (
	defaultRetryBytes     = 16383
	defaultClassification = 100 * time.Millisecond
	defaultConnect        = time.Second
)

func (o Options) withDefaults() Options {
	if o.Identifier == nil {
		o.Identifier = HeaderToken{Prefix: meshhttp.DefaultPrefix()}
	}
	if o.Classifier == nil {
		o.Classifier = NonRetryable5XX{}
	}
	service, client, metrics := o.Mesh.Service, o.Mesh.Client, o.Mesh.Metrics
	o.Mesh.Service = func(path dtab.Path) transport.ServiceOptions {
		var s transport.ServiceOptions
		if service != nil {
			s = service(path)
		}
		var set ServiceSettings
		if o.Service != nil {
			set = o.Service(path)
		}
		s.Adapter = newServiceState(set.withDefaults(o.Classifier), path, metrics)
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
		st := newClientState(set, c)
		c.Adapter = st
		c.Connect = st.connect
		return c
	}
	return o
}

func (s ServiceSettings) withDefaults(c Classifier) ServiceSettings {
	if s.Classifier == nil {
		s.Classifier = c
	}
	if s.ClassificationTimeout == 0 {
		s.ClassificationTimeout = defaultClassification
	}
	s.RequestBytes = size(s.RequestBytes, defaultRetryBytes)
	s.ResponseBytes = size(s.ResponseBytes, defaultRetryBytes)
	return s
}

// size reads a number of which zero stands for the default and a negative one for
// none.
func size(n, usual int) int {
	if n == 0 {
		return usual
	}
	return max(n, 0)
}
