package httprouter

import (
	"errors"
	"io"
	"log/slog"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/proxy/accesslog"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/policy"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// New returns a router that is not listening yet.
func New(env plugin.RouterEnv) (*plugin.Router, error) {
	b := &builder{env: env, c: env.Config}
	t, err := b.transport()
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	r := &plugin.Router{
		Label: b.c.Name(), Protocol: b.c.Protocol, Base: b.c.Dtab, Interpreter: env.Interpreter,
		Core: t.Router(), Identify: t.Identify,
	}
	b.closers = append([]io.Closer{t}, b.closers...) // the transport first: it writes to the rest
	r.Close = b.close
	if b.log != nil {
		r.Reopen = b.log.Reopen
	}
	for i := range b.c.Servers {
		s, err := b.server(i, t)
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

func (b *builder) transport() (*meshhttp.Transport, error) {
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
	opts := meshhttp.Options{
		Identifier:  identifier,
		Propagation: p,
		Tracers:     b.env.Tracers,
		BufferBytes: b.bufferBytes(),
		Recycle:     true,
		Service:     b.httpService,
		Client:      b.httpClient,
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
	return meshhttp.New(opts)
}

func (b *builder) identifier() (meshhttp.Identifier, error) {
	env := plugin.IdentifierEnv{Prefix: b.c.Prefix(), Label: b.c.Name()}
	if len(b.c.Identifiers) == 0 {
		return meshhttp.HeaderToken{Prefix: env.Prefix}, nil
	}
	var chain meshhttp.Chain
	for _, part := range b.c.Identifiers {
		i, err := config.Build[meshhttp.Identifier](part, env)
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

// mostAggregated is how long a message may be where streaming is disabled: Linkerd's limit
// of what it keeps in memory.
const mostAggregated = 1<<31 - 1

// aggregates reports whether streaming is disabled.
func (b *builder) aggregates() bool {
	return b.c.StreamingEnabled != nil && !*b.c.StreamingEnabled
}

// bufferBytes is up to which length responses are read before they are passed on.
func (b *builder) bufferBytes() int64 {
	switch {
	case b.aggregates():
		return mostAggregated
	case b.c.StreamAfterContentLengthKB == nil:
		return 0
	case *b.c.StreamAfterContentLengthKB == 0:
		return -1
	default:
		return int64(*b.c.StreamAfterContentLengthKB) << 10
	}
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

// httpService returns what HTTP adds to them.
func (b *builder) httpService(path dtab.Path) meshhttp.ServiceSettings {
	part := b.c.Service.For(path).ResponseClassifier
	if part == nil {
		return meshhttp.ServiceSettings{}
	}
	c, err := config.Build[meshhttp.Classifier](*part, plugin.Env{})
	if err != nil {
		b.logger().Error("response classifier", "service", path.String(), "error", err)
	}
	return meshhttp.ServiceSettings{Classifier: c}
}

// client returns the options of a bound name, likewise.
func (b *builder) client(id dtab.Path) transport.ClientOptions {
	o, err := policy.Client(b.c.Client.For(id))
	if err != nil {
		b.logger().Error("client settings", "client", id.String(), "error", err)
	}
	return o
}

// httpClient returns what HTTP adds to them.
func (b *builder) httpClient(id dtab.Path) meshhttp.ClientSettings {
	p := b.c.Client.For(id)
	s := meshhttp.ClientSettings{Pool: pool(p), TLS: tlsfiles.Client(p.TLS), Dial: policy.Dial(p.SocketOptions)}
	s.Pool.MaxHeaderBytes = int64(kb(b.c.MaxHeadersKB)) // the key limits responses, too
	if s.Pool.MaxHeaderBytes == 0 {
		s.Pool.MaxHeaderBytes = defaultHeadBytes
	}
	s.HTTP2 = p.HTTP2 != nil && *p.HTTP2
	if p.ForwardClientCert != nil {
		s.ForwardClientCert = *p.ForwardClientCert
	}
	if access := b.log; access != nil {
		s.AccessLog = func(e meshhttp.AccessEntry) { access.Record(e.Request, e.Response) }
	}
	return s
}

// accessLog makes the router's access log, if it has one. The servers open it when
// they begin to serve.
func (b *builder) accessLog() {
	if b.c.AccessLog == nil {
		return
	}
	o := accesslog.Options{Append: b.c.AccessLogAppend == nil || *b.c.AccessLogAppend, Keep: -1}
	if b.c.AccessLogRollPolicy != nil {
		o.Roll = *b.c.AccessLogRollPolicy
	}
	if b.c.AccessLogRotateCount != nil {
		o.Keep = *b.c.AccessLogRotateCount
	}
	b.log = accesslog.New(*b.c.AccessLog, o)
	b.closers = append(b.closers, b.log)
}
