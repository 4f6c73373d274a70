package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
)

// Run listens and serves until ctx ends, Shutdown is called or a listener fails.
// Then it drains: listeners close, requests under way get the grace time to end,
// and those that have not ended by then are cut off. It returns nil after an
// orderly end.
func (p *Proxy) Run(ctx context.Context) error {
	lns, err := p.listen()
	if err != nil {
		return errors.Join(err, p.Close())
	}
	if p.opts.Listening != nil {
		p.opts.Listening(lns.addrs())
	}
	p.opts.Logger.Info("serving", "routers", len(p.routers), "admin", lns.admin.Addr().String())

	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	failed := make(chan error, len(lns.servers)+1+len(p.parts))
	var running sync.WaitGroup
	start := func(what string, f func() error) {
		running.Go(func() {
			if err := f(); err != nil {
				failed <- fmt.Errorf("proxy: %s: %w", what, err)
			}
		})
	}
	for _, s := range lns.servers {
		start("serving "+s.ln.Addr().String(), func() error { return s.server.Serve(s.ln) })
	}
	start("admin server", func() error { return p.admin.Serve(background, lns.admin) })
	identifier := p.identifierServer()
	if lns.identifier != nil {
		start("identifier server", func() error { return ignoreClosed(identifier.Serve(lns.identifier)) })
	}
	for _, t := range p.parts {
		if t.Run != nil {
			start("telemeter", func() error { return ignoreEnd(t.Run(background)) })
		}
	}

	grace := p.grace()
	select {
	case <-ctx.Done():
	case grace = <-p.quit:
	case err = <-failed:
	}
	err = errors.Join(err, p.drain(lns, grace))
	_ = identifier.Close() // its answers take no time
	stop()
	running.Wait()
	return errors.Join(err, p.Close())
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

func ignoreEnd(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
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
	label  string
	server plugin.Server
	ln     net.Listener
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
			l.servers = append(l.servers, serving{r.Label, s, ln})
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
	return listenTCP(addr, o)
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
