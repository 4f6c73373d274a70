package httprouter

import (
	"errors"
	"io"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/accesslog"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/policy"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// New returns a router that is not listening yet.
func New(env plugin.RouterEnv) (*plugin.Router, error) {
	b := &builder{Router: policy.Router{Env: env}, c: env.Config}
	t, err := b.transport()
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	r := &plugin.Router{
		Label: b.c.Name(), Protocol: b.c.Protocol, Base: b.c.Dtab, Interpreter: env.Interpreter,
		Core: t.Router(), Identify: t.Identify,
	}
	b.Closers = append([]io.Closer{t}, b.Closers...) // the transport first: it writes to the rest
	r.Close = b.Close
	if b.log != nil {
		r.Reopen = b.log.Reopen
	}
	for i := range b.c.Servers {
		s, err := b.server(i, t)
		if err != nil {
			return nil, errors.Join(err, b.Close())
		}
		r.Servers = append(r.Servers, s)
	}
	return r, nil
}

// builder holds what the parts of a router share while it is made.
type builder struct {
	policy.Router
	c   *config.Router
	log *accesslog.Log // nil if there is none
}

func (b *builder) transport() (*meshhttp.Transport, error) {
	identifier, err := b.identifier()
	if err != nil {
		return nil, err
	}
	p, err := b.Propagation()
	if err != nil {
		return nil, err
	}
	b.accessLog()
	opts := meshhttp.Options{
		Identifier:  identifier,
		Propagation: p,
		Tracers:     b.Env.Tracers,
		Tap:         b.Env.Tap,
		BufferBytes: b.bufferBytes(),
		Recycle:     true,
		Service:     b.httpService,
		Client:      b.httpClient,
		Mesh:        b.Mesh(),
	}
	return meshhttp.New(opts)
}

func (b *builder) identifier() (meshhttp.Identifier, error) {
	chain, err := policy.Identifiers[meshhttp.Identifier](&b.Router)
	if err != nil || len(chain) > 0 {
		return meshhttp.Chain(chain), err
	}
	return meshhttp.HeaderToken{Prefix: b.c.Prefix()}, nil
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

// httpService returns what HTTP adds to the settings.
func (b *builder) httpService(path dtab.Path) meshhttp.ServiceSettings {
	return meshhttp.ServiceSettings{Classifier: policy.Classifier[meshhttp.Classifier](&b.Router, path)}
}

// httpClient returns what HTTP adds to the settings.
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
		s.AccessLog = func(e meshhttp.AccessEntry) { access.Record(entryOf(b.c.Name(), e)) }
	}
	return s
}

// accessLog makes the router's access log, if it has one. The servers open it when
// they begin to serve.
func (b *builder) accessLog() {
	if b.c.AccessLog == nil {
		return
	}
	b.log = accesslog.New(*b.c.AccessLog, accesslog.OptionsOf(b.c.AccessLogRollPolicy, b.c.AccessLogAppend, b.c.AccessLogRotateCount, b.c.AccessLogFormat))
	b.Closers = append(b.Closers, b.log)
}
