package meshgrpc

import (
	"context"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/tap"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
)

// Options configure a Mesh.
type Options struct {
	// Mesh configures the router under the mesh. Its Interpreter is required; Adapter
	// and Connect in what its Service and Client return are set by this package.
	Mesh transport.Options

	// Service returns what gRPC adds to the settings of a logical name, and Client
	// what it adds to those of a bound name. They are called as those of Mesh are,
	// and may be nil for the defaults.
	Service func(path dtab.Path) ServiceSettings
	Client  func(id dtab.Path) ClientSettings

	// Prefix is what the names of the default Identifier begin with. The zero Path
	// means /svc.
	Prefix dtab.Path

	// Identifier names calls; nil means HostIdentifier{Prefix}.
	Identifier Identifier

	// Classifier judges the calls of services whose settings have none; nil means
	// Default{}.
	Classifier Classifier

	// Credentials secure the connections of clients whose settings have none; nil
	// means plaintext.
	Credentials credentials.TransportCredentials

	// DialOptions are applied to every connection, after those of this package. The
	// interceptors among them see attempts, not calls; a unary one may answer by
	// itself, one for streams must call its streamer.
	DialOptions []grpc.DialOption

	// Dial connects to an endpoint; nil means TCP. A grpc.WithContextDialer among the
	// DialOptions replaces it, and then the metrics know of no connection that could not
	// be made, and no time that making one took but for the handshake. Likewise
	// grpc.WithTransportCredentials there leaves all metrics of connections out.
	Dial func(ctx context.Context, addr string) (net.Conn, error)

	// ConnectTimeout limits one attempt to connect to an endpoint, with its TLS
	// handshake. Zero means 1 second.
	ConnectTimeout time.Duration

	// MaxReplay is how many bytes a stream may have sent and still be sent again.
	// Zero means 64 KiB, negative nothing.
	MaxReplay int

	// Propagation says how context travels in metadata.
	Propagation propagation.Propagator

	// Tap is shown the calls that have ended; nil is nobody.
	Tap *tap.Hub

	// Tracers are told of every attempt; nil traces nothing, but passes on what
	// comes in.
	Tracers *telemetry.Tracers
}

// ServiceSettings are the gRPC settings of a logical name.
type ServiceSettings struct {
	// Classifier judges the calls; nil means that of Options.
	Classifier Classifier
}

// ClientSettings are the gRPC settings of a bound name.
type ClientSettings struct {
	// Credentials secure the connections; nil means those of Options.
	Credentials credentials.TransportCredentials

	// DialOptions are applied after those of Options.
	DialOptions []grpc.DialOption
}

func (o Options) withDefaults() Options {
	if o.Prefix.IsEmpty() {
		o.Prefix = dtab.MustPath("/svc")
	}
	if o.Identifier == nil {
		o.Identifier = HostIdentifier{Prefix: o.Prefix}
	}
	if o.Classifier == nil {
		o.Classifier = Default{}
	}
	if o.Dial == nil {
		tcp := &net.Dialer{}
		o.Dial = func(ctx context.Context, addr string) (net.Conn, error) { return tcp.DialContext(ctx, "tcp", addr) }
	}
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = time.Second
	}
	if o.MaxReplay == 0 {
		o.MaxReplay = 64 << 10
	}
	return o
}
