package policy

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
	"github.com/weft-mesh/weft/transport"
)

// Router is what routers of every protocol are made of alike.
type Router struct {
	Env plugin.RouterEnv
	// Closers are closed with the router, in this order.
	Closers []io.Closer

	certificates []func(*tls.ClientHelloInfo) (*tls.Certificate, error) // of identifiers
}

// ServerTLS returns the configuration of a listener. Clients are shown the certificate
// that an identifier knows for their host, or else that of c. Identifiers are built
// before it.
func (r *Router) ServerTLS(c config.ServerTLS, protocols ...string) *tls.Config {
	files := tlsfiles.Server(c, protocols...)
	if len(r.certificates) == 0 {
		return files
	}
	return &tls.Config{NextProtos: protocols, GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		own, err := files.GetConfigForClient(hello)
		if err != nil {
			return nil, err
		}
		for _, get := range r.certificates {
			cert, err := get(hello)
			if err != nil {
				return nil, err
			}
			if cert != nil {
				own = own.Clone()
				own.Certificates = []tls.Certificate{*cert}
				break
			}
		}
		return own, nil
	}}
}

// Close closes what the router has opened.
func (r *Router) Close() error {
	var err error
	for _, c := range r.Closers {
		err = errors.Join(err, c.Close())
	}
	r.Closers = nil
	return err
}

// Logger returns the router's logger, which is silent if it has none.
func (r *Router) Logger() *slog.Logger {
	if r.Env.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return r.Env.Logger
}

// Mesh returns the options of the router under the protocol.
func (r *Router) Mesh() transport.Options {
	c := r.Env.Config
	o := transport.Options{
		Interpreter: r.Env.Interpreter,
		Label:       c.Name(),
		Base:        c.Dtab,
		Cache:       Cache(c.BindingCache),
		Service:     r.Service,
		Client:      r.Client,
		Metrics:     r.Env.Tree.Scope("rt", c.Name()),
		Logger:      r.Logger(),
	}
	if c.BindingTimeout != nil {
		o.BindingTimeout = *c.BindingTimeout
	}
	return o
}

// Propagation returns the form of the context headers.
func (r *Router) Propagation() (p propagation.Propagator, err error) {
	if part := r.Env.Config.TracePropagator; !part.IsZero() {
		return config.Build[propagation.Propagator](part, plugin.Env{})
	}
	return p, nil
}

// Service returns the options of a logical name. What can be wrong with the section
// has been found when the configuration was checked; what is wrong all the same is
// logged, and the defaults are used.
func (r *Router) Service(path dtab.Path) transport.ServiceOptions {
	o, err := Service(r.Env.Config.Service.For(path))
	if err != nil {
		r.Logger().Error("service settings", "service", path.String(), "error", err)
	}
	return o
}

// Client returns the options of a bound name, likewise.
func (r *Router) Client(id dtab.Path) transport.ClientOptions {
	o, err := Client(r.Env.Config.Client.For(id))
	if err != nil {
		r.Logger().Error("client settings", "client", id.String(), "error", err)
	}
	return o
}

// Classifier builds the response classifier of a logical name, of the interface that
// the protocol has for it; the zero C if none is configured.
func Classifier[C any](r *Router, path dtab.Path) (c C) {
	part := r.Env.Config.Service.For(path).ResponseClassifier
	if part == nil {
		return c
	}
	c, err := config.Build[C](*part, plugin.Env{})
	if err != nil {
		r.Logger().Error("response classifier", "service", path.String(), "error", err)
	}
	return c
}

// Identifiers builds the configured identifiers, of the interface that the protocol has
// for them.
func Identifiers[I any](r *Router) ([]I, error) {
	c := r.Env.Config
	env := plugin.IdentifierEnv{
		Prefix: c.Prefix(), Label: c.Name(), Report: r.Env.Report, Shared: r.Env.Shared, Logger: r.Env.Logger,
	}
	if c.BindingTimeout != nil {
		env.BindingTimeout = *c.BindingTimeout
	}
	var chain []I
	for _, part := range c.Identifiers {
		i, err := config.Build[I](part, env)
		if err != nil {
			return nil, err
		}
		if closer, ok := any(i).(io.Closer); ok {
			r.Closers = append(r.Closers, closer)
		}
		if c, ok := any(i).(plugin.Certificates); ok {
			r.certificates = append(r.certificates, c.Certificate())
		}
		chain = append(chain, i)
	}
	return chain, nil
}
