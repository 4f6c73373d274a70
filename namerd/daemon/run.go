package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/listen"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
)

// ErrStarted is returned by Start if it was called before, ErrNotStarted by Wait if
// Start was not, and ErrClosed by Start after the end.
var (
	ErrStarted    = errors.New("namerd: started already")
	ErrNotStarted = errors.New("namerd: not started")
	ErrClosed     = errors.New("namerd: closed")
)

// Addrs is where a daemon listens.
type Addrs struct {
	Interfaces []Addr // in the order of the configuration
	Admin      string
}

// Addr is where an interface listens.
type Addr struct{ Kind, Address string }

// Of returns the address of the first interface of a kind, "" if there is none.
func (a Addrs) Of(kind string) string {
	for _, i := range a.Interfaces {
		if i.Kind == kind {
			return i.Address
		}
	}
	return ""
}

// running is what Start has begun and Wait ends.
type running struct {
	parts  sync.WaitGroup
	failed chan error // the first failure of each part
	stop   context.CancelFunc
}

// Run is Start and Wait.
func (d *Daemon) Run(ctx context.Context) error {
	if _, err := d.Start(); err != nil {
		return err
	}
	return d.Wait(ctx)
}

// Start opens the listeners and begins to serve, in goroutines of its own, which
// Wait or Close ends. If it cannot, it closes the daemon.
func (d *Daemon) Start() (Addrs, error) {
	addrs, err := d.begin()
	if err != nil && !errors.Is(err, ErrStarted) {
		err = errors.Join(err, d.Close())
	}
	return addrs, err
}

func (d *Daemon) begin() (Addrs, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return Addrs{}, ErrClosed
	case d.running != nil:
		return Addrs{}, ErrStarted
	}
	lns, adminLn, err := d.listen()
	if err != nil {
		return Addrs{}, err
	}
	addrs := Addrs{Admin: adminLn.Addr().String()}
	background, stop := context.WithCancel(context.Background())
	r := &running{stop: stop, failed: make(chan error, len(lns)+1+len(d.parts))}
	for i, x := range d.interfaces {
		r.start(x.kind, func() error { return x.Serve(lns[i]) })
		addrs.Interfaces = append(addrs.Interfaces, Addr{x.kind, lns[i].Addr().String()})
	}
	r.start("admin server", func() error { return d.admin.Serve(background, adminLn) })
	for _, t := range d.parts {
		if t.Run == nil {
			continue
		}
		r.start("telemeter", func() error {
			if err := t.Run(background); !errors.Is(err, context.Canceled) {
				return err
			}
			return nil
		})
	}
	d.running = r
	d.opts.Logger.Info("serving", "interfaces", len(lns), "admin", addrs.Admin)
	return addrs, nil
}

func (r *running) start(what string, f func() error) {
	r.parts.Go(func() {
		if err := f(); err != nil {
			r.failed <- fmt.Errorf("namerd: %s: %w", what, err)
		}
	})
}

// Wait lets the daemon serve until ctx ends, Shutdown or Close is called or a
// listener fails. Then watches end, calls under way get the grace time, and the
// daemon is closed. It returns nil after an orderly end.
func (d *Daemon) Wait(ctx context.Context) error {
	d.mu.Lock()
	r := d.running
	d.mu.Unlock()
	if r == nil {
		return ErrNotStarted
	}
	grace := d.grace()
	var err error
	select {
	case <-ctx.Done():
	case grace = <-d.quit:
	case err = <-r.failed:
	case <-d.ended:
	}
	return d.end(err, grace)
}

func (d *Daemon) grace() time.Duration {
	if g := d.cfg.Admin.ShutdownGrace; g != nil {
		return *g
	}
	return 10 * time.Second
}

func (d *Daemon) listen() (_ []net.Listener, adminLn net.Listener, err error) {
	var lns []net.Listener
	defer func() {
		if err != nil {
			for _, ln := range lns {
				err = errors.Join(err, ln.Close())
			}
		}
	}()
	for _, x := range d.interfaces {
		addr, err := netip.ParseAddrPort(x.addr)
		if err != nil {
			return nil, nil, err
		}
		ln, err := d.open(addr, x.SocketOptions)
		if err != nil {
			return nil, nil, fmt.Errorf("namerd: %s: %s: %w", x.part.Path(), x.kind, err)
		}
		lns = append(lns, ln)
	}
	if adminLn, err = d.open(d.cfg.AdminAddr(), d.cfg.Admin.SocketOptions); err != nil {
		return nil, nil, fmt.Errorf("namerd: admin: %w", err)
	}
	if d.cfg.Admin.TLS != nil {
		adminLn = tls.NewListener(adminLn, tlsfiles.Server(*d.cfg.Admin.TLS))
	}
	return lns, adminLn, nil
}

func (d *Daemon) open(addr netip.AddrPort, o config.SocketOptions) (net.Listener, error) {
	if d.opts.Listen != nil {
		return d.opts.Listen("tcp", addr.String())
	}
	return listen.TCP(addr, o)
}
