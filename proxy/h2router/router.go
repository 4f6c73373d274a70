package h2router

import (
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/proxy/accesslog"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/policy"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshh2"
)

// New returns a router that is not listening yet.
func New(env plugin.RouterEnv) (*plugin.Router, error) {
	b := &builder{env: env, c: env.Config}
	relay, err := b.relay()
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	r := &plugin.Router{
		Label: b.c.Name(), Protocol: b.c.Protocol, Base: b.c.Dtab, Interpreter: env.Interpreter,
		Core: relay.Router(), Identify: func(req *http.Request) (dtab.Path, dtab.Dtab, error) { return relay.Identify(headOf(req).Fields) },
	}
	b.closers = append([]io.Closer{relay}, b.closers...) // the relay first: it writes to the rest
	r.Close = b.close
	if b.log != nil {
		r.Reopen = b.log.Reopen
	}
	for i := range b.c.Servers {
		s, err := b.server(i, relay)
		if err != nil {
			return nil, errors.Join(err, b.close())
		}
		r.Servers = append(r.Servers, s)
	}
	return r, nil
}

// builder holds what the parts of a router share while it is made.
type builder struct {
	env     plugin.RouterEnv
	c       *config.Router
	closers []io.Closer
	log     *accesslog.Log // nil if there is none
}

func (b *builder) close() error {
	var err error
	for _, c := range b.closers {
		err = errors.Join(err, c.Close())
	}
	b.closers = nil
	return err
}

func (b *builder) logger() *slog.Logger {
	if b.env.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return b.env.Logger
}

func (b *builder) relay() (*meshh2.Relay, error) {
	identifier, err := b.identifier()
	if err != nil {
		return nil, err
	}
	var p propagation.Propagator
	if !b.c.TracePropagator.IsZero() {
		if p, err = config.Build[propagation.Propagator](b.c.TracePropagator, plugin.Env{}); err != nil {
			return nil, err
		}
	}
	b.accessLog()
	opts := meshh2.Options{
		Identifier:  identifier,
		Propagation: p,
		Tracers:     b.env.Tracers,
		Service:     b.h2Service,
		Client:      b.h2Client,
		Mesh: transport.Options{
			Interpreter: b.env.Interpreter,
			Label:       b.c.Name(),
			Base:        b.c.Dtab,
			Cache:       policy.Cache(b.c.BindingCache),
			Service:     b.service,
			Client:      b.client,
			Metrics:     b.env.Tree.Scope("rt", b.c.Name()),
			Logger:      b.logger(),
		},
	}
	if b.c.BindingTimeout != nil {
		opts.Mesh.BindingTimeout = *b.c.BindingTimeout
	}
	return meshh2.New(opts)
}

func (b *builder) identifier() (meshh2.Identifier, error) {
	env := plugin.IdentifierEnv{Prefix: b.c.Prefix(), Label: b.c.Name()}
	if len(b.c.Identifiers) == 0 {
		return meshh2.HeaderToken{Prefix: env.Prefix}, nil
	}
	var chain meshh2.Chain
	for _, part := range b.c.Identifiers {
		i, err := config.Build[meshh2.Identifier](part, env)
		if err != nil {
			return nil, err
		}
		if c, ok := i.(io.Closer); ok {
			b.closers = append(b.closers, c)
		}
		chain = append(chain, i)
	}
	return chain, nil
}

// service returns the options of a logical name. What can be wrong with the
// section has been found when the configuration was checked; what is wrong all the
// same is logged, and the defaults are used.
func (b *builder) service(path dtab.Path) transport.ServiceOptions {
	o, err := policy.Service(b.c.Service.For(path))
	if err != nil {
		b.logger().Error("service settings", "service", path.String(), "error", err)
	}
	return o
}

// h2Service returns what HTTP/2 adds to them.
func (b *builder) h2Service(path dtab.Path) meshh2.ServiceSettings {
	p := b.c.Service.For(path)
	var s meshh2.ServiceSettings
	if p.ResponseClassifier != nil {
		c, err := config.Build[meshh2.Classifier](*p.ResponseClassifier, plugin.Env{})
		if err != nil {
			b.logger().Error("response classifier", "service", path.String(), "error", err)
		}
		s.Classifier = c
	}
	if p.ClassificationTimeout != nil {
		if s.ClassificationTimeout = *p.ClassificationTimeout; s.ClassificationTimeout == 0 {
			s.ClassificationTimeout = -1
		}
	}
	if r := p.RetryBufferSize; r != nil {
		s.RequestBytes, s.ResponseBytes = bufferSize(r.RequestBytes), bufferSize(r.ResponseBytes)
	}
	return s
}

// bufferSize turns a key for which zero means nothing into an option for which
// it means the default.
func bufferSize(n *int) int {
	switch {
	case n == nil:
		return 0
	case *n == 0:
		return -1
	default:
		return *n
	}
}

// client returns the options of a bound name, likewise.
func (b *builder) client(id dtab.Path) transport.ClientOptions {
	o, err := policy.Client(b.c.Client.For(id))
	if err != nil {
		b.logger().Error("client settings", "client", id.String(), "error", err)
	}
	return o
}

// h2Client returns what HTTP/2 adds to them.
func (b *builder) h2Client(id dtab.Path) meshh2.ClientSettings {
	p := b.c.Client.For(id)
	s := meshh2.ClientSettings{
		TLS:  tlsfiles.Client(p.TLS, "h2"),
		Dial: policy.Dial(p.SocketOptions),
		Conn: conn(p.H2Settings, p.ClientSession, p.SocketOptions),
	}
	if p.ForwardClientCert != nil {
		s.ForwardClientCert = *p.ForwardClientCert
	}
	if access := b.log; access != nil {
		s.AccessLog = func(e meshh2.AccessEntry) { access.RecordH2(lineOf(e)) }
	}
	return s
}

// accessLog makes the router's access log, if it has one. The servers open it when
// they begin to serve.
func (b *builder) accessLog() {
	if b.c.H2AccessLog == nil {
		return
	}
	o := accesslog.Options{Append: b.c.H2AccessLogAppend == nil || *b.c.H2AccessLogAppend, Keep: -1}
	if b.c.H2AccessLogRollPolicy != nil {
		o.Roll = *b.c.H2AccessLogRollPolicy
	}
	if b.c.H2AccessLogRotateCount != nil {
		o.Keep = *b.c.H2AccessLogRotateCount
	}
	b.log = accesslog.New(*b.c.H2AccessLog, o)
	b.closers = append(b.closers, b.log)
}
