package dns

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	wire "github.com/miekg/dns"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// watch is the naming.Watcher of an SRV name.
func (n *SRVNamer) watch(ctx context.Context, name string, set func(naming.State[weft.EndpointSet])) error {
	f := &srvFollower{n: n, name: name, hosts: map[string]*targetHost{}}
	t := newTrouble(n.ask.o, name)
	for ctx.Err() == nil {
		begun := time.Now()
		s := f.read(ctx)
		if ctx.Err() != nil {
			break
		}
		n.stats.end(s, time.Since(begun))
		set(s)
		pause(ctx, t.delay(s.Err, n.c.RefreshInterval))
	}
	return ctx.Err()
}

// srvFollower is what the watch of an SRV name knows.
type srvFollower struct {
	n     *SRVNamer
	name  string
	found string                 // the full name that had records last
	hosts map[string]*targetHost // by the target
}

// targetHost is what is known of the host of a target.
type targetHost struct {
	host
	fresh time.Time // when the addresses are to be asked for again
	err   error     // why they could not be asked for
}

// read asks for the records and what they need.
func (f *srvFollower) read(ctx context.Context) naming.State[weft.EndpointSet] {
	a, err := f.records(ctx)
	if err != nil {
		return naming.Failed[weft.EndpointSet](fmt.Errorf("dns: %w", err))
	}
	targets := targetsIn(a.records)
	if len(targets) == 0 {
		clear(f.hosts)
		return naming.Ok(weft.EndpointSet{Neg: true})
	}
	if err = f.resolve(ctx, targets, a.more); err != nil {
		err = fmt.Errorf("dns: %s: %w", f.found, err)
	}
	eps := endpointsOf(targets, func(host string) []netip.Addr { return f.hosts[host].addrs() }, f.n.c.IgnoreWeights)
	switch {
	case len(eps) == 0 && err != nil:
		return naming.Failed[weft.EndpointSet](err)
	case len(eps) == 0:
		return naming.Ok(weft.EndpointSet{Neg: true})
	default:
		return naming.State[weft.EndpointSet]{Value: weft.EndpointSet{Endpoints: eps}, Known: true, Err: err}
	}
}

// records asks for the SRV records, by the search rules. Without records, and
// without an error, there are none.
func (f *srvFollower) records(ctx context.Context) (answer, error) {
	var problem error
	for _, name := range f.n.ask.conf.load().candidates(f.name) {
		a, err := f.n.ask.lookup(ctx, name, wire.TypeSRV)
		switch {
		case err != nil && (name == f.found || ctx.Err() != nil):
			return answer{}, err // another candidate is not what was known under this name
		case err != nil:
			if problem == nil {
				problem = err
			}
		case len(a.records) > 0:
			f.found = name
			return a, nil
		}
	}
	if problem == nil {
		f.found = ""
	}
	return answer{}, problem
}

// resolve finds the addresses of the targets' hosts: in the additional section, in
// what is known, or by asking. The error is that of a host that could not be asked
// for; such a host has the addresses that were known before.
func (f *srvFollower) resolve(ctx context.Context, targets []target, more []wire.RR) error {
	now := time.Now()
	six := reachesIPv6(f.n.ask.o.InterfaceAddrs)
	wanted := map[string]bool{}
	var asking sync.WaitGroup
	for _, t := range targets {
		if wanted[t.host] {
			continue
		}
		wanted[t.host] = true
		h := f.hosts[t.host]
		if h == nil {
			h = &targetHost{host: host{name: t.host}}
			f.hosts[t.host] = h
		}
		if given := usable(addressesIn(more, t.host), six); len(given) > 0 {
			h.four, h.six, h.err = given, nil, nil
			h.found, h.fresh = t.host, time.Time{}
			continue
		}
		if now.Before(h.fresh) {
			continue
		}
		asking.Go(func() {
			var ttl time.Duration
			ttl, _, h.err = f.n.ask.refresh(ctx, &h.host)
			h.fresh = now.Add(min(ttl, maxTargetTTL))
			if h.err != nil {
				h.fresh = time.Time{}
			}
		})
	}
	asking.Wait()
	var err error
	for name := range f.hosts {
		if !wanted[name] {
			delete(f.hosts, name)
		}
	}
	for _, t := range targets { // in their order, so that the text does not change each time
		if err == nil {
			err = f.hosts[t.host].err
		}
	}
	return err
}

// maxTargetTTL is how long the addresses of a target are held to be true at most.
const maxTargetTTL = 5 * time.Minute

// usable returns the addresses that this machine can reach.
func usable(addrs []netip.Addr, six bool) []netip.Addr {
	out := addrs[:0]
	for _, a := range addrs {
		if a.Is4() || six {
			out = append(out, a)
		}
	}
	return out
}
