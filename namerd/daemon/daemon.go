package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/editor"
	"github.com/weft-mesh/weft/proxy/admin"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/namers"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/telemetry"
)

// Options are what a daemon needs besides its configuration.
type Options struct {
	// Logger is told what operators want to know; nil is silent.
	Logger *slog.Logger
	// Levels are the log levels that the admin server can change; nil are none.
	Levels *admin.Levels
	// Version and Build are shown by the admin server.
	Version, Build string
	// StatsWindow is the window of stats; zero means a minute.
	StatsWindow time.Duration
	// Listen opens listeners; nil is net.Listen with the socket options of the
	// configuration.
	Listen func(network, address string) (net.Listener, error)
}

// Daemon is what a configuration describes. New makes it without listening, Run (or
// Start and Wait) serves, once. It is safe for concurrent use.
type Daemon struct {
	opts  Options
	cfg   *config.Namerd
	start time.Time

	tree       *telemetry.Tree
	parts      []plugin.Telemeter
	names      *namers.Set
	store      namerd.Store
	namerd     *namerd.Namerd
	interfaces []listening
	editor     *editor.Editor
	admin      *admin.Server

	closers []io.Closer // in the order in which they were made
	quit    chan time.Duration

	mu      sync.Mutex
	running *running // nil before Start
	closed  bool
	once    sync.Once
	ended   chan struct{} // closed when failed is set
	failed  error         // of the end
}

// listening is an interface and where it is to listen.
type listening struct {
	Interface
	kind string
	addr string
	part config.Part
}

// New makes the control plane that cfg describes. Nothing listens yet; Close
// releases it if Run is not called. It does not wait for the store to answer.
func New(cfg *config.Namerd, opts Options) (_ *Daemon, err error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	opts.Logger = plugin.Named(opts.Logger, "namerd")
	d := &Daemon{opts: opts, cfg: cfg, start: time.Now(), quit: make(chan time.Duration, 1), ended: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	d.tree = telemetry.NewTree(telemetry.Options{Window: opts.StatsWindow, Log: plugin.Named(opts.Logger, "metrics")})
	d.own(d.tree)
	telemetry.RegisterProcess(d.tree.Scope(), d.start)
	if err := d.makeTelemeters(); err != nil {
		return nil, err
	}
	if d.names, err = namers.New(namers.Options{Namers: cfg.Namers, Tree: d.tree, Logger: opts.Logger}); err != nil {
		return nil, err
	}
	d.own(d.names)
	if err := d.makeStore(); err != nil {
		return nil, err
	}
	if d.namerd, err = namerd.New(namerd.Options{
		Store: d.store, Namers: d.names.Namers(), Global: d.names.Global(), Logger: opts.Logger,
	}); err != nil {
		return nil, err
	}
	d.own(d.namerd)
	d.editor = editor.New(d.namerd, editor.Options{Logger: plugin.Named(opts.Logger, "namerd.editor")})
	d.own(d.editor)
	if err := d.makeInterfaces(); err != nil {
		return nil, err
	}
	if d.admin, err = admin.New(d.adminOptions()); err != nil {
		return nil, fmt.Errorf("namerd: %w", err)
	}
	return d, nil
}

func (d *Daemon) own(c io.Closer) { d.closers = append(d.closers, c) }

type closerFunc func() error

// Close implements io.Closer.
func (f closerFunc) Close() error { return f() }

func (d *Daemon) makeTelemeters() error {
	for i, part := range d.cfg.Telemetry {
		t, err := config.Build[plugin.Telemeter](part, plugin.TelemeterEnv{Tree: d.tree, Logger: plugin.Named(d.opts.Logger, part.Kind)})
		if err != nil {
			return err
		}
		if t.Close != nil {
			d.own(closerFunc(t.Close))
		}
		if t.Tracer.Tracer != nil {
			d.opts.Logger.Warn("namerd does not trace: the telemeter is of no use here", "telemeter", part.Kind, "path", fmt.Sprintf("telemetry[%d]", i))
		}
		d.parts = append(d.parts, t)
	}
	return nil
}

func (d *Daemon) makeStore() (err error) {
	part := d.cfg.Storage
	d.store, err = config.Build[namerd.Store](part, StorageEnv{
		Resolve: d.names.Resolve, Shared: d.names.Shared(), Logger: plugin.Named(d.opts.Logger, "namerd.store."+part.Kind).With("storage", part.Kind),
	})
	if err != nil {
		return err
	}
	d.own(d.store)
	d.names.Report("storage", part.Kind, d.store, d.tree.Scope("storage"))
	return nil
}

func (d *Daemon) makeInterfaces() error {
	for _, part := range d.cfg.Interfaces {
		l, ok := part.Config.(config.Listener)
		if !ok {
			return fmt.Errorf("namerd: %s: interface %s does not say where to listen", part.Path(), part.Kind)
		}
		d.namerd.Export(d.tree.Scope("interface", part.Kind))
		made, err := config.Build[Interface](part, InterfaceEnv{
			Namerd: d.namerd, Logger: plugin.Named(d.opts.Logger, "namerd.interface."+part.Kind).With("interface", part.Kind),
		})
		if err != nil {
			return err
		}
		d.interfaces = append(d.interfaces, listening{made, part.Kind, l.Addr().String(), part})
	}
	return nil
}

// Namerd returns what the interfaces serve.
func (d *Daemon) Namerd() *namerd.Namerd { return d.namerd }

// Tree returns the metrics.
func (d *Daemon) Tree() *telemetry.Tree { return d.tree }

// Admin returns the admin server's handler.
func (d *Daemon) Admin() http.Handler { return d.admin }

// Shutdown asks Run to end within grace. It returns at once.
func (d *Daemon) Shutdown(grace time.Duration) {
	select {
	case d.quit <- grace:
	default: // somebody has asked already
	}
}

// Reopen opens log files anew, for those who rotate them.
func (d *Daemon) Reopen() error {
	var err error
	for _, i := range d.interfaces {
		if i.Reopen != nil {
			err = errors.Join(err, i.Reopen())
		}
	}
	return err
}

// Close ends the daemon at once and waits for it. After Wait it does nothing more.
func (d *Daemon) Close() error { return d.end(nil, 0) }

// end ends the daemon, once, for the cause if it was an error, and returns how that
// went: the interfaces first, then telemeters, then the admin server.
func (d *Daemon) end(cause error, grace time.Duration) error {
	d.once.Do(func() {
		defer close(d.ended)
		d.mu.Lock()
		r := d.running
		d.closed = true
		d.mu.Unlock()
		d.failed = errors.Join(cause, d.drain(r, grace))
		for _, c := range slices.Backward(d.closers) {
			d.failed = errors.Join(d.failed, c.Close())
		}
	})
	return d.failed
}

// drain ends what serves. Interfaces that never served have goroutines to end too.
func (d *Daemon) drain(r *running, grace time.Duration) error {
	if r != nil {
		d.opts.Logger.Info("draining", "grace", grace)
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	var all sync.WaitGroup
	errs := make([]error, len(d.interfaces))
	for i, x := range d.interfaces {
		all.Go(func() {
			if err := x.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
				errs[i] = err
			}
		})
	}
	all.Wait()
	if r == nil {
		return errors.Join(errs...)
	}
	r.stop()
	_ = d.editor.Close() // always nil; the admin server waits for its requests
	last, cancelLast := context.WithTimeout(context.Background(), time.Second)
	defer cancelLast()
	if err := d.admin.Shutdown(last); err != nil {
		d.opts.Logger.Info("admin requests were cut off", "error", err)
	}
	r.parts.Wait()
	return errors.Join(errs...)
}
