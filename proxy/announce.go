package proxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
)

// announcer is an announcer and the names that it is asked for.
type announcer struct {
	prefix dtab.Path
	plugin.Announcer
}

// makeAnnouncers makes those of a router.
func (p *Proxy) makeAnnouncers(c *config.Router) ([]announcer, error) {
	root := dtab.MustPath("/#")
	var all []announcer
	for _, part := range c.Announcers {
		prefix := root.Concat(part.Prefix)
		a, err := config.Build[plugin.Announcer](part, plugin.AnnouncerEnv{
			Prefix: prefix, Shared: p.names.Shared(), Logger: plugin.Named(p.opts.Logger, part.Kind), Metrics: p.tree.Scope("rt", c.Name(), "announcer", part.Prefix.String()[1:]),
		})
		if err != nil {
			return nil, err
		}
		p.own(a)
		all = append(all, announcer{prefix, a})
	}
	return all, nil
}

// announce announces a server at addr under its names.
func (p *Proxy) announce(r router, c config.Server, addr net.Addr) ([]io.Closer, error) {
	if len(c.Announce) == 0 {
		return nil, nil
	}
	addrs, err := reachable(addr)
	if err != nil {
		return nil, err
	}
	var all []io.Closer
	for _, name := range c.Announce {
		found := false
		for _, a := range r.announcers {
			if !name.HasPrefix(a.prefix) {
				continue
			}
			found = true
			closer, err := a.Announce(name.Drop(a.prefix.Len()), addrs)
			if err != nil {
				return all, fmt.Errorf("announcing %s: %w", name, err)
			}
			all = append(all, closer)
		}
		if !found {
			p.opts.Logger.Warn("no announcer found for "+name.String(), "router", r.Label)
		}
	}
	return all, nil
}

// Announced returns the names under which servers are announced.
func (p *Proxy) Announced() []string {
	var names []string
	for i := range p.cfg.Routers {
		for _, s := range p.cfg.Routers[i].Servers {
			for _, name := range s.Announce {
				names = append(names, name.String())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// reachable returns the addresses at which others reach a listener: its own, or, of
// one that listens on all, those of the interfaces that are up, but for loopback.
func reachable(addr net.Addr) ([]netip.AddrPort, error) {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return nil, fmt.Errorf("proxy: %s cannot be announced: it is no TCP address", addr)
	}
	at := tcp.AddrPort()
	at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	if !at.Addr().IsUnspecified() {
		return []netip.AddrPort{at}, nil
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("proxy: addresses of interfaces: %w", err)
	}
	var addrs []netip.AddrPort
	for _, a := range all {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue // no IP address
		}
		ip := prefix.Addr().Unmap()
		if ip.IsLoopback() || ip.IsLinkLocalUnicast() || at.Addr().Is4() && !ip.Is4() {
			continue
		}
		addrs = append(addrs, netip.AddrPortFrom(ip, at.Port()))
	}
	if len(addrs) == 0 {
		return nil, errors.New("proxy: no interface but loopback is up: there is no address to announce")
	}
	return addrs, nil
}

// withdraw withdraws what was announced, all at once.
func withdraw(all []io.Closer) error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, c := range all {
		wg.Go(func() { errs[i] = c.Close() })
	}
	wg.Wait()
	return errors.Join(errs...)
}
