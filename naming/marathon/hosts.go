package marathon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// ErrUnknownHost is in the chain of the error of an app with a task on a host whose
// name does not exist.
var ErrUnknownHost = errors.New("no such host")

// errNames is why a host is not looked up.
var errNames = errors.New("is not an IP address, and nothing resolves names here")

// follower makes the set of an app from where its tasks are, and from what the names
// among that resolve to.
type follower struct {
	resolve Resolve
	tasks   weft.Source[naming.State[[]target]]
	set     func(naming.State[weft.EndpointSet])
	hosts   map[hostPort]host

	last      weft.EndpointSet
	published bool
}

type hostPort struct {
	host string
	port uint16
}

// host is a name that is being resolved.
type host struct {
	addrs  weft.Source[naming.State[weft.EndpointSet]]
	cancel context.CancelFunc
}

// run follows until ctx ends.
func (f *follower) run(ctx context.Context) error {
	defer f.forget(nil)
	for {
		if err := naming.Any(ctx, f.step(ctx)); err != nil {
			return err
		}
	}
}

// step publishes what is known, unless a name is being looked up and there is
// something better to keep until then. It returns what to wait for.
func (f *follower) step(ctx context.Context) []<-chan struct{} {
	s, stale := f.tasks.Load()
	signals := []<-chan struct{}{stale}
	if !s.Known {
		if s.Err != nil {
			f.set(naming.Failed[weft.EndpointSet](s.Err))
		}
		return signals
	}
	c := f.combine(ctx, s.Value)
	switch {
	case c.pending && (f.published || len(c.set.Endpoints) == 0):
		if s.Err != nil {
			f.set(naming.Failed[weft.EndpointSet](s.Err))
		}
	case len(c.set.Endpoints) == 0 && c.problem != nil:
		f.set(naming.Failed[weft.EndpointSet](c.problem))
	case s.Err != nil && f.published && reflect.DeepEqual(c.set, f.last):
		// Not the whole state: that would count as news from Marathon.
		f.set(naming.Failed[weft.EndpointSet](s.Err))
	default:
		f.set(naming.State[weft.EndpointSet]{Value: c.set, Known: true, Err: cmp.Or(s.Err, c.problem), Version: s.Version})
		f.last, f.published = c.set, true
	}
	return append(signals, c.signals...)
}

// combination is a set and what was met on the way to it.
type combination struct {
	set     weft.EndpointSet
	pending bool  // a name has no answer yet
	problem error // why a name has none
	signals []<-chan struct{}
}

func (f *follower) combine(ctx context.Context, list []target) (c combination) {
	defer func() { c.set.Neg = len(list) == 0 }()
	seen := make(map[string]bool, len(list))
	add := func(addr string) {
		if !seen[addr] {
			seen[addr] = true
			c.set.Endpoints = append(c.set.Endpoints, weft.Endpoint{Addr: addr})
		}
	}
	wanted := map[hostPort]bool{}
	for _, t := range list {
		if t.ip.IsValid() {
			add(netip.AddrPortFrom(t.ip, t.port).String())
			continue
		}
		if f.resolve == nil {
			c.problem = cmp.Or(c.problem, fmt.Errorf("marathon: host %q: %w", t.host, errNames))
			continue
		}
		hp := hostPort{t.host, t.port}
		wanted[hp] = true
		s, stale := f.lookUp(ctx, hp)
		if stale != nil {
			c.signals = append(c.signals, stale)
		}
		switch {
		case s.Pending():
			c.pending = true
		case s.Known && s.Value.Neg:
			c.problem = cmp.Or(c.problem, fmt.Errorf("marathon: host %q: %w", t.host, ErrUnknownHost))
		default:
			c.problem = cmp.Or(c.problem, s.Err)
		}
		for _, e := range s.Value.Endpoints {
			add(e.Addr)
		}
	}
	f.forget(wanted)
	return c
}

// lookUp returns what is known of a host, and follows it.
func (f *follower) lookUp(ctx context.Context, hp hostPort) (naming.State[weft.EndpointSet], <-chan struct{}) {
	h, ok := f.hosts[hp]
	if !ok {
		ctx, cancel := context.WithCancel(ctx)
		h = host{addrs: f.resolve(ctx, hp.host, strconv.Itoa(int(hp.port))), cancel: cancel}
		f.hosts[hp] = h
	}
	return h.addrs.Load()
}

// forget ends the look-ups of hosts that are no longer wanted.
func (f *follower) forget(wanted map[hostPort]bool) {
	for hp, h := range f.hosts {
		if !wanted[hp] {
			h.cancel()
			delete(f.hosts, hp)
		}
	}
}
