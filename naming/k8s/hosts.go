package k8s

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// ErrUnknownHost is in the chain of the error of endpoints with a host name that
// does not exist or that nothing resolves.
var ErrUnknownHost = errors.New("no such host")

// candidate is an endpoint whose address may be a host name.
type candidate struct {
	slot
	port int32
}

// hosts turns candidates into endpoints. It is for one goroutine.
type hosts struct {
	resolve   Resolve
	following map[hostPort]followed
	published bool
}

type hostPort struct {
	host string
	port int32
}

// followed is a host name that is being resolved.
type followed struct {
	addrs  weft.Source[naming.State[weft.EndpointSet]]
	cancel context.CancelFunc
}

// endpoints returns the endpoints in the order of the candidates, each address once,
// and false if there is nothing to say that is better than what was said last: a
// host is not resolved yet.
func (h *hosts) endpoints(ctx context.Context, all []candidate, signals *[]<-chan struct{}) (naming.State[weft.EndpointSet], bool) {
	set := weft.EndpointSet{Endpoints: make([]weft.Endpoint, 0, len(all))}
	seen := make(map[netip.AddrPort]struct{}, len(all))
	used := map[hostPort]struct{}{}
	pending := false
	var problem error
	for _, c := range all {
		if c.host == "" {
			set.Endpoints = add(set.Endpoints, seen, netip.AddrPortFrom(c.addr, uint16(c.port)), c.meta) //nolint:gosec // checked when it was read
			continue
		}
		hp := hostPort{c.host, c.port}
		used[hp] = struct{}{}
		s := h.follow(ctx, hp, signals)
		pending = pending || s.Pending()
		switch {
		case s.Known && s.Value.Neg:
			problem = fmt.Errorf("k8s: %q: %w", c.host, ErrUnknownHost)
		case s.Err != nil:
			problem = s.Err
		}
		for _, e := range s.Value.Endpoints {
			if a, err := netip.ParseAddrPort(e.Addr); err == nil {
				set.Endpoints = add(set.Endpoints, seen, a, c.meta)
			}
		}
	}
	for hp, f := range h.following {
		if _, ok := used[hp]; !ok {
			f.cancel()
			delete(h.following, hp)
		}
	}
	switch {
	case pending && (h.published || len(set.Endpoints) == 0):
		return naming.State[weft.EndpointSet]{}, false
	case len(set.Endpoints) == 0 && problem != nil:
		return naming.Failed[weft.EndpointSet](problem), true
	}
	h.published = true
	return naming.State[weft.EndpointSet]{Value: set, Known: true, Err: problem}, true
}

func add(to []weft.Endpoint, seen map[netip.AddrPort]struct{}, a netip.AddrPort, meta map[string]string) []weft.Endpoint {
	if _, ok := seen[a]; ok {
		return to
	}
	seen[a] = struct{}{}
	return append(to, weft.Endpoint{Addr: a.String(), Meta: meta})
}

func (h *hosts) follow(ctx context.Context, hp hostPort, signals *[]<-chan struct{}) naming.State[weft.EndpointSet] {
	if h.resolve == nil {
		return naming.Failed[weft.EndpointSet](fmt.Errorf("k8s: %q: %w: nothing resolves host names here", hp.host, ErrUnknownHost))
	}
	f, ok := h.following[hp]
	if !ok {
		if h.following == nil {
			h.following = map[hostPort]followed{}
		}
		ctx, cancel := context.WithCancel(ctx)
		f = followed{addrs: h.resolve(ctx, hp.host, strconv.Itoa(int(hp.port))), cancel: cancel}
		h.following[hp] = f
	}
	s, stale := f.addrs.Load()
	*signals = append(*signals, stale)
	return s
}

func (h *hosts) close() {
	for _, f := range h.following {
		f.cancel()
	}
}
