package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/proxy/admin"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/namers"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/tap"
	"github.com/weft-mesh/weft/telemetry"
)

// Proxy is what a configuration describes. New makes it without listening, Run (or
// Start and Wait) serves, once. It is safe for concurrent use.
type Proxy struct {
	opts  Options
	cfg   *config.Linker
	start time.Time

	tree    *telemetry.Tree
	tracers *telemetry.Tracers
	tap     tap.Hub
	names   *namers.Set
	parts   []plugin.Telemeter
	routers []router
	admin   *admin.Server

	closers []io.Closer // in the order in which they were made
	quit    chan time.Duration

	mu      sync.Mutex
	running *running // nil before Start
	closed  bool
	once    sync.Once
	ended   chan struct{} // closed when failed is set
	failed  error         // of the end
}

// router is a router and what explains its names without its own dtab.
type router struct {
	*plugin.Router
	delegator  naming.Delegator
	announcers []announcer
}

// New makes the proxy that cfg describes. Nothing listens yet; Close releases it
// if Run is not called.
func New(cfg *config.Linker, opts Options) (_ *Proxy, err error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	opts.Logger = plugin.Named(opts.Logger, "proxy")
	p := &Proxy{opts: opts, cfg: cfg, start: time.Now(), quit: make(chan time.Duration, 1), ended: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	// The order is Linkerd's: telemeters see what the rest does, namers come before
	// the routers that use them, and the admin server shows all of it.
	p.tree = telemetry.NewTree(telemetry.Options{Window: opts.StatsWindow, Log: plugin.Named(opts.Logger, "metrics")})
	p.own(p.tree)
	telemetry.RegisterProcess(p.tree.Scope(), p.start)
	if err := p.makeTelemeters(); err != nil {
		return nil, err
	}
	if err := p.makeNamers(); err != nil {
		return nil, err
	}
	for i := range cfg.Routers {
		if err := p.makeRouter(&cfg.Routers[i]); err != nil {
			return nil, err
		}
	}
	if p.admin, err = admin.New(p.adminOptions()); err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	return p, nil
}

func (p *Proxy) own(c any) {
	if closer, ok := c.(io.Closer); ok {
		p.closers = append(p.closers, closer)
	}
}

func (p *Proxy) makeTelemeters() error {
	var sampled []telemetry.Sampled
	for _, part := range p.cfg.Telemetry {
		t, err := config.Build[plugin.Telemeter](part, plugin.TelemeterEnv{Tree: p.tree, Logger: plugin.Named(p.opts.Logger, part.Kind)})
		if err != nil {
			return err
		}
		p.parts = append(p.parts, t)
		if t.Close != nil {
			p.closers = append(p.closers, closerFunc(t.Close))
		}
		sampled = append(sampled, t.Tracer)
	}
	p.tracers = telemetry.NewTracers(sampled...)
	return nil
}

func (p *Proxy) makeNamers() (err error) {
	p.names, err = namers.New(namers.Options{Namers: p.cfg.Namers, Tree: p.tree, Logger: p.opts.Logger})
	if err != nil {
		return err
	}
	p.own(p.names)
	return nil
}

func (p *Proxy) makeRouter(c *config.Router) error {
	in, delegator, err := p.interpreter(c)
	if err != nil {
		return err
	}
	p.names.Report("interpreter of "+c.Name(), c.Interpreter.Kind, in, p.tree.Scope("rt", c.Name(), "interpreter"))
	announcers, err := p.makeAnnouncers(c)
	if err != nil {
		return err
	}
	r, err := config.Build[*plugin.Router](c.Part(), plugin.RouterEnv{
		Config: c, Interpreter: in, Tree: p.tree, Tracers: p.tracers, Tap: &p.tap, Shared: p.names.Shared(),
		Report: func(kind string, r naming.Reporter) {
			p.names.Report("identifier of "+c.Name(), kind, r, p.tree.Scope("rt", c.Name(), "identifier", kind))
		},
		Logger: plugin.Named(p.opts.Logger, "rt."+c.Name()).With("router", c.Name()),
	})
	if err != nil {
		return err
	}
	if c.Originator {
		p.tree.Scope("rt", c.Name()).Gauge("originator", func() float64 { return 1 })
	}
	p.routers = append(p.routers, router{Router: r, delegator: delegator, announcers: announcers})
	p.closers = append(p.closers, closerFunc(r.Close))
	return nil
}

// Routers returns the routers in the order of the configuration.
func (p *Proxy) Routers() []*plugin.Router {
	all := make([]*plugin.Router, len(p.routers))
	for i, r := range p.routers {
		all[i] = r.Router
	}
	return all
}

// Admin returns the admin server's handler.
func (p *Proxy) Admin() http.Handler { return p.admin }

// Tree returns the metrics.
func (p *Proxy) Tree() *telemetry.Tree { return p.tree }

// Shutdown asks Run to drain within grace and return. It returns at once.
func (p *Proxy) Shutdown(grace time.Duration) {
	select {
	case p.quit <- grace:
	default: // somebody has asked already
	}
}

// Reopen opens log files anew, for those who rotate them.
func (p *Proxy) Reopen() error {
	var err error
	for _, r := range p.routers {
		if r.Reopen != nil {
			err = errors.Join(err, r.Reopen())
		}
	}
	return err
}

// Close ends the proxy at once: requests under way are cut off. It releases
// everything, last made first, and waits for it. After Wait it does nothing more.
func (p *Proxy) Close() error { return p.end(nil, 0) }

// end ends the proxy, once, for the cause if it was an error, and returns how that
// went. Requests under way get the grace time.
func (p *Proxy) end(cause error, grace time.Duration) error {
	p.once.Do(func() {
		defer close(p.ended)
		p.mu.Lock()
		r := p.running
		p.closed = true
		p.mu.Unlock()
		if p.failed = cause; r != nil {
			// Nobody new is to find the servers while they drain.
			if err := withdraw(r.announced); err != nil {
				p.opts.Logger.Warn("an announcement could not be withdrawn, it has to expire", "error", err)
			}
			p.failed = errors.Join(cause, p.drain(r.listeners, grace))
			_ = r.identifier.Close() // its answers take no time
			r.stop()
			r.parts.Wait()
		}
		for _, c := range slices.Backward(p.closers) {
			p.failed = errors.Join(p.failed, c.Close())
		}
	})
	return p.failed
}

// BoundNames returns the ids of the names that namers can list.
func (p *Proxy) BoundNames(ctx context.Context) []string { return p.names.BoundNames(ctx) }

// Discovery is what one namer or interpreter watches.
type Discovery = namers.Discovery

// Discovery returns the namers and interpreters that follow the outside world, in
// the order of the configuration.
func (p *Proxy) Discovery() []Discovery { return p.names.Discovery() }

type closerFunc func() error

// Close implements io.Closer.
func (f closerFunc) Close() error { return f() }
