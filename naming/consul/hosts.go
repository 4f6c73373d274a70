package consul

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"strconv"
	"sync"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// ErrUnknownHost is in the chain of the error of a service with an instance whose
// address is a host name that does not exist.
var ErrUnknownHost = errors.New("no such host")

// hosts makes sets of instances. While some of their addresses are host names, a
// goroutine follows what these resolve to.
type hosts struct {
	ctx     context.Context
	cancel  context.CancelFunc
	resolve Resolve
	set     func(naming.State[weft.EndpointSet])
	meta    map[string]string // of every set
	wg      sync.WaitGroup

	mu        sync.Mutex
	state     naming.State[[]instance]
	following map[hostPort]follow
	published bool
	changed   chan struct{} // closed when the goroutine has to look again; nil without one
}

type hostPort struct {
	host string
	port uint16
}

// follow is a host name that is being resolved.
type follow struct {
	addrs  weft.Source[naming.State[weft.EndpointSet]]
	cancel context.CancelFunc
}

func newHosts(ctx context.Context, r Resolve, set func(naming.State[weft.EndpointSet])) *hosts {
	h := &hosts{resolve: r, set: set, following: map[hostPort]follow{}}
	h.ctx, h.cancel = context.WithCancel(ctx)
	return h
}

// close waits for the goroutine.
func (h *hosts) close() {
	h.cancel()
	h.wg.Wait()
}

// update takes what a poll has found.
func (h *hosts) update(s naming.State[[]instance]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !s.Known {
		h.set(naming.Failed[weft.EndpointSet](s.Err))
		return
	}
	h.state = s
	signals := h.publish()
	if h.changed != nil {
		close(h.changed)
		h.changed = make(chan struct{})
		return
	}
	if len(signals) > 0 {
		h.changed = make(chan struct{})
		h.wg.Go(h.run)
	}
}

// run publishes again whenever a host name resolves to something else.
func (h *hosts) run() {
	for {
		h.mu.Lock()
		signals := h.publish()
		if len(signals) == 0 {
			h.changed = nil
			h.mu.Unlock()
			return
		}
		signals = append(signals, h.changed)
		h.mu.Unlock()
		if naming.Any(h.ctx, signals) != nil {
			return
		}
	}
}

// publish sets the endpoints of the present instances, unless something is still
// being resolved and there is something better to keep until then. It returns what
// to wait for. The mutex is held.
func (h *hosts) publish() (signals []<-chan struct{}) {
	list := h.state.Value
	if len(list) == 0 {
		h.forget(nil)
		h.set(naming.Ok(weft.EndpointSet{Neg: true}).At(h.state.Version))
		h.published = true
		return nil
	}
	set := weft.EndpointSet{Endpoints: make([]weft.Endpoint, 0, len(list)), Meta: h.about(list[0])}
	seen := make(map[string]bool, len(list))
	add := func(e weft.Endpoint) {
		if !seen[e.Addr] {
			seen[e.Addr] = true
			set.Endpoints = append(set.Endpoints, e)
		}
	}
	wanted := map[hostPort]bool{}
	pending := false
	var problem error
	for _, i := range list {
		if i.ip.IsValid() {
			add(weft.Endpoint{Addr: netip.AddrPortFrom(i.ip, i.port).String(), Weight: i.weight, Meta: i.meta})
			continue
		}
		wanted[hostPort{i.host, i.port}] = true
		s, stale := h.lookUp(hostPort{i.host, i.port})
		if stale != nil {
			signals = append(signals, stale)
		}
		switch {
		case s.Pending():
			pending = true
		case s.Known && s.Value.Neg:
			problem = cmp.Or(problem, fmt.Errorf("consul: address %q: %w", i.host, ErrUnknownHost))
		default:
			problem = cmp.Or(problem, s.Err)
		}
		for _, e := range s.Value.Endpoints {
			add(weft.Endpoint{Addr: e.Addr, Weight: i.weight, Meta: i.meta})
		}
	}
	h.forget(wanted)
	switch {
	case pending && (h.published || len(set.Endpoints) == 0):
	case len(set.Endpoints) == 0 && problem != nil:
		h.set(naming.Failed[weft.EndpointSet](problem))
	default:
		h.set(naming.State[weft.EndpointSet]{Value: set, Known: true, Err: problem, Version: h.state.Version})
		h.published = true
	}
	return signals
}

// lookUp returns what is known of a host, and follows it.
func (h *hosts) lookUp(hp hostPort) (naming.State[weft.EndpointSet], <-chan struct{}) {
	f, ok := h.following[hp]
	if !ok {
		ctx, cancel := context.WithCancel(h.ctx)
		f = follow{addrs: h.resolve(ctx, hp.host, strconv.Itoa(int(hp.port))), cancel: cancel}
		h.following[hp] = f
	}
	return f.addrs.Load()
}

// forget ends the look-ups of hosts that are no longer wanted.
func (h *hosts) forget(wanted map[hostPort]bool) {
	for hp, f := range h.following {
		if !wanted[hp] {
			f.cancel()
			delete(h.following, hp)
		}
	}
}

// about returns the metadata of a set by its first instance.
func (h *hosts) about(first instance) map[string]string {
	if len(first.about) == 0 {
		return h.meta
	}
	meta := make(map[string]string, len(first.about)+len(h.meta))
	maps.Copy(meta, first.about)
	maps.Copy(meta, h.meta)
	return meta
}
