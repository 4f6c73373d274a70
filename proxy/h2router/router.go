package h2router

import (
	"errors"
	"io"
	"net/http"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/accesslog"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/policy"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
	"github.com/weft-mesh/weft/transport/meshh2"
)

// New returns a router that is not listening yet.
func New(env plugin.RouterEnv) (*plugin.Router, error) {
	b := &builder{Router: policy.Router{Env: env}, c: env.Config}
	relay, err := b.relay()
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	r := &plugin.Router{
		Label: b.c.Name(), Protocol: b.c.Protocol, Base: b.c.Dtab, Interpreter: env.Interpreter,
		Core: relay.Router(), Identify: func(req *http.Request) (dtab.Path, dtab.Dtab, error) { return relay.Identify(headOf(req).Fields) },
	}
	b.Closers = append([]io.Closer{relay}, b.Closers...) // the relay first: it writes to the rest
	r.Close = b.Close
	if b.log != nil {
		r.Reopen = b.log.Reopen
	}
	for i := range b.c.Servers {
		s, err := b.server(i, relay)
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

func (b *builder) relay() (*meshh2.Relay, error) {
	identifier, err := b.identifier()
	if err != nil {
		return nil, err
	}
	p, err := b.Propagation()
	if err != nil {
		return nil, err
	}
	b.accessLog()
	opts := meshh2.Options{
		Identifier:  identifier,
		Propagation: p,
		Tracers:     b.Env.Tracers,
		Tap:         b.Env.Tap,
		Service:     b.h2Service,
		Client:      b.h2Client,
		Mesh:        b.Mesh(),
	}
	return meshh2.New(opts)
}

func (b *builder) identifier() (meshh2.Identifier, error) {
	chain, err := policy.Identifiers[meshh2.Identifier](&b.Router)
	if err != nil || len(chain) > 0 {
		return meshh2.Chain(chain), err
	}
	return meshh2.HeaderToken{Prefix: b.c.Prefix()}, nil
}

// h2Service returns what HTTP/2 adds to the settings.
func (b *builder) h2Service(path dtab.Path) meshh2.ServiceSettings {
	p := b.c.Service.For(path)
	s := meshh2.ServiceSettings{Classifier: policy.Classifier[meshh2.Classifier](&b.Router, path)}
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

// h2Client returns what HTTP/2 adds to the settings.
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
		s.AccessLog = func(e meshh2.AccessEntry) { access.Record(entryOf(b.c.Name(), e)) }
	}
	return s
}

// accessLog makes the router's access log, if it has one. The servers open it when
// they begin to serve.
func (b *builder) accessLog() {
	if b.c.H2AccessLog == nil {
		return
	}
	b.log = accesslog.New(*b.c.H2AccessLog, accesslog.OptionsOf(b.c.H2AccessLogRollPolicy, b.c.H2AccessLogAppend, b.c.H2AccessLogRotateCount, b.c.H2AccessLogFormat))
	b.Closers = append(b.Closers, b.log)
}
