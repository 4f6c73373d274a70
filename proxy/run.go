package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/listen"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
)

// running is what Start has begun and Wait ends.
type running struct {
	listeners  *listeners
	identifier *http.Server
	parts      sync.WaitGroup
	failed     chan error // the first failure of each part
	announced  []io.Closer
	stop       context.CancelFunc
}

// Run is Start and Wait.
func (p *Proxy) Run(ctx context.Context) error {
	if _, err := p.Start(); err != nil {
		return err
	}
	return p.Wait(ctx)
}

// ErrStarted is returned by Start if it was called before, ErrNotStarted by Wait if
// Start was not, and ErrClosed by Start after the end.
var (
	ErrStarted    = errors.New("proxy: started already")
	ErrNotStarted = errors.New("proxy: not started")
	ErrClosed     = errors.New("proxy: closed")
)

// Start opens the listeners and begins to serve, in goroutines of its own, which
// Wait or Close ends. If it cannot, it closes the proxy.
func (p *Proxy) Start() (Addrs, error) {
	addrs, err := p.begin()
	if err != nil && !errors.Is(err, ErrStarted) {
		err = errors.Join(err, p.Close())
	}
	return addrs, err
}

func (p *Proxy) begin() (Addrs, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return Addrs{}, ErrClosed
	case p.running != nil:
		return Addrs{}, ErrStarted
	}
	lns, err := p.listen()
	if err != nil {
		return Addrs{}, err
	}
	background, stop := context.WithCancel(context.Background())
	r := &running{
		listeners: lns, identifier: p.identifierServer(), stop: stop,
		failed: make(chan error, len(lns.servers)+2+len(p.parts)),
	}
	for _, s := range lns.servers {
		r.start("serving "+s.ln.Addr().String(), func() error { return s.server.Serve(s.ln) })
	}
	// After they serve: who finds an announced server connects to it.
	for _, s := range lns.servers {
		announced, err := p.announce(p.routers[s.router], p.cfg.Routers[s.router].Servers[s.index], s.ln.Addr())
		r.announced = append(r.announced, announced...)
		if err != nil {
			p.opts.Logger.Error("a server is not announced", "router", s.label, "address", s.ln.Addr().String(), "error", err)
		}
	}
	r.start("admin server", func() error { return p.admin.Serve(background, lns.admin) })
	if lns.identifier != nil {
		r.start("identifier server", func() error { return ignore(http.ErrServerClosed, r.identifier.Serve(lns.identifier)) })
	}
	for _, t := range p.parts {
		if t.Run != nil {
			r.start("telemeter", func() error { return ignore(context.Canceled, t.Run(background)) })
		}
	}
	p.running = r
	p.opts.Logger.Info("serving", "routers", len(p.routers), "admin", lns.admin.Addr().String())
	return lns.addrs(), nil
}

func (r *running) start(what string, f func() error) {
	r.parts.Go(func() {
		if err := f(); err != nil {
			r.failed <- fmt.Errorf("proxy: %s: %w", what, err)
		}
	})
}

// Wait lets the proxy serve until ctx ends, Shutdown or Close is called or a
// listener fails. Then it drains: listeners close, requests under way get the grace
// time to end, those that have not ended by then are cut off, and the proxy is
// closed. It returns nil after an orderly end.
func (p *Proxy) Wait(ctx context.Context) error {
	p.mu.Lock()
	r := p.running
	p.mu.Unlock()
	if r == nil {
		return ErrNotStarted
	}
	grace := p.grace()
	var err error
	select {
	case <-ctx.Done():
	case grace = <-p.quit:
	case err = <-r.failed:
	case <-p.ended:
	}
	return p.end(err, grace)
}

// drain ends the servers. The admin server is the last, so that the drain can be
// watched.
func (p *Proxy) drain(lns *listeners, grace time.Duration) error {
	p.opts.Logger.Info("draining", "grace", grace)
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	var all sync.WaitGroup
	errs := make([]error, len(lns.servers))
	for i, s := range lns.servers {
		all.Go(func() { errs[i] = s.server.Shutdown(ctx) })
	}
	all.Wait()
	last, cancelLast := context.WithTimeout(context.Background(), time.Second)
	defer cancelLast()
	if err := p.admin.Shutdown(last); err != nil {
		p.opts.Logger.Info("admin requests were cut off", "error", err)
	}
	err := errors.Join(errs...)
	if errors.Is(err, context.DeadlineExceeded) {
		p.opts.Logger.Warn("requests were cut off", "grace", grace)
		return nil
	}
	return err
}

func (p *Proxy) grace() time.Duration {
	if g := p.cfg.Admin.ShutdownGrace; g != nil {
		return *g
	}
	return 10 * time.Second
}

// ignore returns err unless it is the one that an orderly end has.
func ignore(end, err error) error {
	if errors.Is(err, end) {
		return nil
	}
	return err
}

// listeners are the sockets of a running proxy.
type listeners struct {
	servers    []serving
	admin      net.Listener
	identifier net.Listener // nil unless configured
}

type serving struct {
	label         string
	router, index int // where it is in the configuration
	server        plugin.Server
	ln            net.Listener
}

func (p *Proxy) listen() (_ *listeners, err error) {
	l := &listeners{}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	for ri, r := range p.routers {
		for si, s := range r.Servers {
			ln, err := p.open(s.Addr(), p.cfg.Routers[ri].Servers[si].SocketOptions)
			if err != nil {
				return nil, fmt.Errorf("proxy: router %s: %w", r.Label, err)
			}
			l.servers = append(l.servers, serving{r.Label, ri, si, s, ln})
		}
	}
	if l.admin, err = p.open(p.cfg.Admin.Addr(), p.cfg.Admin.SocketOptions); err != nil {
		return nil, fmt.Errorf("proxy: admin: %w", err)
	}
	if p.cfg.Admin.TLS != nil {
		l.admin = tls.NewListener(l.admin, tlsfiles.Server(*p.cfg.Admin.TLS))
	}
	if l.identifier, err = p.openIdentifier(); err != nil {
		return nil, fmt.Errorf("proxy: admin.httpIdentifierPort: %w", err)
	}
	return l, nil
}

func (p *Proxy) open(addr netip.AddrPort, o config.SocketOptions) (net.Listener, error) {
	if p.opts.Listen != nil {
		return p.opts.Listen("tcp", addr.String())
	}
	return listen.TCP(addr, o)
}

func (l *listeners) close() error {
	var err error
	for _, s := range l.servers {
		err = errors.Join(err, s.ln.Close())
	}
	for _, ln := range []net.Listener{l.admin, l.identifier} {
		if ln != nil {
			err = errors.Join(err, ln.Close())
		}
	}
	return err
}

func (l *listeners) addrs() Addrs {
	a := Addrs{Servers: map[string][]string{}, Admin: l.admin.Addr().String()}
	for _, s := range l.servers {
		a.Servers[s.label] = append(a.Servers[s.label], s.ln.Addr().String())
	}
	return a
}
