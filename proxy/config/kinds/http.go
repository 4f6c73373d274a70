package kinds

import (
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/config"
)

// HeaderIdentifier is the configuration of io.l5d.header.token and io.l5d.header.
type HeaderIdentifier struct {
	Header string `yaml:"header"` // Host, :authority, l5d-name
}

// MethodAndHostIdentifier is the configuration of io.l5d.methodAndHost.
type MethodAndHostIdentifier struct {
	HTTPURIInDst bool `yaml:"httpUriInDst"`
}

// PathIdentifier is the configuration of io.l5d.path.
type PathIdentifier struct {
	Segments *int `yaml:"segments" weft:"min=1"` // 1
	Consume  bool `yaml:"consume"`
}

// StaticIdentifier is the configuration of io.l5d.static.
type StaticIdentifier struct {
	Path *dtab.Path `yaml:"path"` // required
}

// Validate implements the decoder's rules.
func (c *StaticIdentifier) Validate() error { return errIf(c.Path == nil, "path", "path is required") }

// IngressIdentifier is the configuration of io.l5d.ingress.
type IngressIdentifier struct {
	K8sAPI                 `yaml:",inline"`
	Namespace              string `yaml:"namespace"`
	IngressClassAnnotation string `yaml:"ingressClassAnnotation"` // linkerd
	IgnoreDefaultBackends  bool   `yaml:"ignoreDefaultBackends"`

	// Certificates has the router's TLS servers show the certificates in the secrets that
	// ingresses name, to clients that ask for their hosts. The key is weft's.
	Certificates bool `yaml:"certificates"`
}

// IstioIdentifier is the configuration of io.l5d.k8s.istio.
type IstioIdentifier struct {
	DiscoveryHost string `yaml:"discoveryHost"`             // istio-pilot
	DiscoveryPort *int   `yaml:"discoveryPort" weft:"port"` // 8080
	APIServerHost string `yaml:"apiserverHost"`             // istio-pilot
	APIServerPort *int   `yaml:"apiserverPort" weft:"port"` // 8081
	Mixer         `yaml:",inline"`
}

// IstioIngressIdentifier is the configuration of io.l5d.k8s.istio-ingress.
type IstioIngressIdentifier struct {
	IstioIdentifier `yaml:",inline"`
	K8sAPI          `yaml:",inline"`
	Namespace       string `yaml:"namespace"`
}

// HeaderPathIdentifier is the configuration of io.l5d.header.path.
type HeaderPathIdentifier struct {
	Header   string `yaml:"header"` // :path
	Segments *int   `yaml:"segments"`
}

// Validate implements the decoder's rules.
func (c *HeaderPathIdentifier) Validate() error {
	return errIf(c.Segments != nil && *c.Segments < 1, "segments", "`segments` must be >= 1")
}

// HTTPIdentifiers returns the declarations of the identifiers of http routers.
func HTTPIdentifiers() []config.Entry {
	role := config.RoleHTTPIdentifier
	return []config.Entry{
		config.Declare[HeaderIdentifier](role, "io.l5d.header.token", stable()),
		config.Declare[HeaderIdentifier](role, "io.l5d.header", stable()),
		config.Declare[MethodAndHostIdentifier](role, "io.l5d.methodAndHost", stable()),
		config.Declare[PathIdentifier](role, "io.l5d.path", stable()),
		config.Declare[StaticIdentifier](role, "io.l5d.static", stable()),
		config.Declare[IngressIdentifier](role, "io.l5d.ingress", stable()),
		config.Declare[IstioIdentifier](role, "io.l5d.k8s.istio", istio()),
		config.Declare[IstioIngressIdentifier](role, "io.l5d.k8s.istio-ingress", istio()),
	}
}

// H2Identifiers returns the declarations of the identifiers of h2 routers.
func H2Identifiers() []config.Entry {
	role := config.RoleH2Identifier
	return []config.Entry{
		config.Declare[HeaderIdentifier](role, "io.l5d.header.token", stable()),
		config.Declare[HeaderPathIdentifier](role, "io.l5d.header.path", stable()),
		config.Declare[IngressIdentifier](role, "io.l5d.ingress", stable()),
		config.Declare[IstioIdentifier](role, "io.l5d.k8s.istio", istio()),
		config.Declare[IstioIngressIdentifier](role, "io.l5d.k8s.istio-ingress", istio()),
	}
}

// HTTPClassifiers returns the declarations of the classifiers of http routers.
func HTTPClassifiers() []config.Entry {
	role := config.RoleHTTPClassifier
	return []config.Entry{
		config.Declare[none](role, "io.l5d.http.nonRetryable5XX", stable()),
		config.Declare[none](role, "io.l5d.http.retryableRead5XX", stable()),
		config.Declare[none](role, "io.l5d.http.retryableIdempotent5XX", stable()),
		config.Declare[none](role, "io.l5d.http.retryableAll5XX", stable()),
		config.Declare[none](role, "io.l5d.http.allSuccessful", stable()),
	}
}

// GRPCClassifier is the configuration of the gRPC classifiers.
type GRPCClassifier struct {
	SuccessStatusCodes []int `yaml:"successStatusCodes" weft:"min=0"` // 0
}

// GRPCStatusClassifier is the configuration of io.l5d.h2.grpc.retryableStatusCodes.
type GRPCStatusClassifier struct {
	GRPCClassifier       `yaml:",inline"`
	RetryableStatusCodes []int `yaml:"retryableStatusCodes" weft:"required,min=0"`
}

// H2Classifiers returns the declarations of the classifiers of h2 routers.
func H2Classifiers() []config.Entry {
	role := config.RoleH2Classifier
	return []config.Entry{
		config.Declare[none](role, "io.l5d.h2.nonRetryable5XX", stable()),
		config.Declare[none](role, "io.l5d.h2.retryableRead5XX", stable()),
		config.Declare[none](role, "io.l5d.h2.retryableIdempotent5XX", stable()),
		config.Declare[none](role, "io.l5d.h2.retryableAll5XX", stable()),
		config.Declare[none](role, "io.l5d.h2.allSuccessful", stable()),
		config.Declare[GRPCClassifier](role, "io.l5d.h2.grpc.default", stable()),
		config.Declare[GRPCClassifier](role, "io.l5d.h2.grpc.compliant", stable()),
		config.Declare[GRPCClassifier](role, "io.l5d.h2.grpc.alwaysRetryable", stable()),
		config.Declare[GRPCClassifier](role, "io.l5d.h2.grpc.neverRetryable", stable()),
		config.Declare[GRPCStatusClassifier](role, "io.l5d.h2.grpc.retryableStatusCodes", stable()),
	}
}

// Propagator is the configuration of the trace propagators. The original has none of
// these keys. The forms are l5d, w3c, b3single and b3.
type Propagator struct {
	Read  []string `yaml:"read" weft:"enum=l5d|w3c|b3single|b3"`  // all of them; b3single and b3 for io.l5d.zipkin
	Write []string `yaml:"write" weft:"enum=l5d|w3c|b3single|b3"` // l5d; b3 for io.l5d.zipkin
}

// Propagators returns the declarations of the trace propagators of http and h2.
func Propagators() []config.Entry {
	var entries []config.Entry
	for _, role := range []config.Role{config.RoleHTTPPropagator, config.RoleH2Propagator} {
		entries = append(entries,
			config.Declare[Propagator](role, "io.l5d.default", stable()),
			config.Declare[Propagator](role, "io.l5d.zipkin", stable()))
	}
	return entries
}

// StaticLabeler is the configuration of the labeler static.
type StaticLabeler struct {
	Label string `yaml:"label" weft:"required"`
}

// Labelers returns the declarations of what Forwarded headers call the two ends.
func Labelers() []config.Entry {
	role := config.RoleLabeler
	return []config.Entry{
		config.Declare[none](role, "requestRandom", stable()),
		config.Declare[none](role, "connectionRandom", stable()),
		config.Declare[none](role, "ip", stable()),
		config.Declare[none](role, "ip:port", stable()),
		config.Declare[none](role, "router", stable()),
		config.Declare[StaticLabeler](role, "static", stable()),
	}
}

// Mixer is where Istio's mixer is.
type Mixer struct {
	MixerHost string `yaml:"mixerHost"`             // istio-mixer
	MixerPort *int   `yaml:"mixerPort" weft:"port"` // 9091
}

// Authorizers returns the declarations of the request authorizers.
func Authorizers() []config.Entry {
	return []config.Entry{config.Declare[Mixer](config.RoleRequestAuthorizer, "io.l5d.k8s.istio", mixer())}
}
