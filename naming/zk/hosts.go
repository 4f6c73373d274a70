package zk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

var (
	// ErrUnknownHost is in the chain of the error of a name one of whose members has a
	// host that does not exist.
	ErrUnknownHost = errors.New("no such host")

	// ErrNoAddress is in the chain of the error of a name one of whose members has a
	// host without an address that this machine can reach.
	ErrNoAddress = errors.New("the host has no usable address")

	// ErrNoResolver is in the chain of the error of a name one of whose members has a
	// host name, while only addresses can be used.
	ErrNoResolver = errors.New("the host is not an IP address, and host names are not resolved")
)

// hosts turns registered addresses into endpoints, and follows the host names in
// them. It is used in rounds of begin, add for each address, and end.
type hosts struct {
	resolver Resolve
	live     map[hostPort]*resolving

	set     []weft.Endpoint // in the order of the addresses, each once
	seen    map[string]bool
	pending bool  // a host is not resolved yet
	problem error // the first one
	signals []<-chan struct{}
}

// resolving is a host name that is followed.
type resolving struct {
	addrs  weft.Source[naming.State[weft.EndpointSet]]
	cancel context.CancelFunc
	used   bool // in this round
}

func newHosts(r Resolve) *hosts { return &hosts{resolver: r, live: map[hostPort]*resolving{}} }

// begin begins a round, whose signals begin with the given one.
func (h *hosts) begin(stale <-chan struct{}) {
	h.set, h.seen, h.pending, h.problem = nil, map[string]bool{}, false, nil
	h.signals = append(h.signals[:0], stale)
	for _, r := range h.live {
		r.used = false
	}
}

// add adds the endpoints of an address.
func (h *hosts) add(ctx context.Context, c chosen) {
	if a, err := netip.ParseAddr(c.Host); err == nil {
		h.endpoint(weft.Endpoint{Addr: netip.AddrPortFrom(a.Unmap(), uint16(c.Port)).String(), Weight: c.weight})
		return
	}
	if h.resolver == nil {
		h.problem = cmp.Or(h.problem, fmt.Errorf("zk: %q: %w", c.Host, ErrNoResolver))
		return
	}
	r := h.live[c.hostPort]
	if r == nil {
		ctx, cancel := context.WithCancel(ctx)
		r = &resolving{addrs: h.resolver(ctx, c.Host, strconv.Itoa(c.Port)), cancel: cancel}
		h.live[c.hostPort] = r
	}
	r.used = true
	s, stale := r.addrs.Load()
	h.signals = append(h.signals, stale)
	switch {
	case s.Pending():
		h.pending = true
	case s.Known && s.Value.Neg:
		h.problem = cmp.Or(h.problem, fmt.Errorf("zk: %q: %w", c.Host, ErrUnknownHost))
	case s.Err == nil && len(s.Value.Endpoints) == 0:
		h.problem = cmp.Or(h.problem, fmt.Errorf("zk: %q: %w", c.Host, ErrNoAddress))
	default:
		h.problem = cmp.Or(h.problem, s.Err)
	}
	for _, e := range s.Value.Endpoints {
		e.Weight = c.weight
		h.endpoint(e)
	}
}

func (h *hosts) endpoint(e weft.Endpoint) {
	if !h.seen[e.Addr] {
		h.seen[e.Addr] = true
		h.set = append(h.set, e)
	}
}

// end ends a round: hosts that were not in it are not followed any more.
func (h *hosts) end() {
	for hp, r := range h.live {
		if !r.used {
			r.cancel()
			delete(h.live, hp)
		}
	}
}
