package fs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// ErrUnknownHost is in the chain of the error of a file with a host name that
// does not exist.
var ErrUnknownHost = errors.New("no such host")

// follow is the naming.FollowFunc of the endpoints of the file with that key. It
// outlives the file: when that is back, so are the endpoints.
func (n *Namer) follow(ctx context.Context, key string) (read func(set func(naming.State[weft.EndpointSet])) []<-chan struct{}, end func()) {
	f := follower{n: n, names: strings.Split(key, "/")}
	return func(set func(naming.State[weft.EndpointSet])) []<-chan struct{} {
		s, publish := f.read(ctx)
		if publish && !(f.published && equal(s, f.last)) {
			set(s)
			f.last, f.published = s, true
		}
		return f.signals
	}, func() {}
}

// follower reads the endpoints of one file.
type follower struct {
	n     *Namer
	names []string
	hosts map[hostPort]host // nil until there is one

	last      naming.State[weft.EndpointSet]
	published bool
	signals   []<-chan struct{} // of what was read
}

// host is a host name that is being resolved.
type host struct {
	addrs  weft.Source[naming.State[weft.EndpointSet]]
	cancel context.CancelFunc
}

// read returns the state of the endpoints, and false while there is nothing to
// say that is better than what was said last.
func (f *follower) read(ctx context.Context) (naming.State[weft.EndpointSet], bool) {
	t, stale := f.n.w.tree.Load()
	f.signals = append(f.signals[:0], stale)
	out := t.walk(f.names)
	switch {
	case out.pending:
		f.n.w.want(out.want)
		return naming.State[weft.EndpointSet]{}, false
	case out.failed:
		return naming.Failed[weft.EndpointSet](fmt.Errorf("fs: %w", out.err)), true
	case out.file == nil && out.err == nil:
		return naming.Ok(weft.EndpointSet{Neg: true}), true
	case out.file == nil:
		return naming.Failed[weft.EndpointSet](fmt.Errorf("fs: %w", out.err)), true
	}
	content, stale := out.file.state.Load()
	f.signals = append(f.signals, stale)
	if !content.Known {
		return naming.Failed[weft.EndpointSet](content.Err), content.Err != nil
	}
	s, publish := f.combine(ctx, content.Value)
	if out.err != nil {
		s.Err = fmt.Errorf("fs: %w", out.err)
	}
	s.Err = cmp.Or(s.Err, content.Err)
	return s, publish
}

// combine joins addresses and resolved hosts in the order of the lines. As long
// as a host is not resolved yet the last state holds; if there is none, what is
// known has to do.
func (f *follower) combine(ctx context.Context, lines []line) (s naming.State[weft.EndpointSet], publish bool) {
	set := weft.EndpointSet{Endpoints: make([]weft.Endpoint, 0, len(lines))}
	seen := make(map[string]bool, len(lines))
	add := func(e weft.Endpoint) {
		if !seen[e.Addr] {
			seen[e.Addr] = true
			set.Endpoints = append(set.Endpoints, e)
		}
	}
	named := map[hostPort]bool{}
	pending := false
	var problem error
	for _, l := range lines {
		if l.addr != "" {
			add(l.endpoint())
			continue
		}
		named[l.host] = true
		h := f.resolve(ctx, l.host)
		switch {
		case h.Pending():
			pending = true
		case h.Known && h.Value.Neg:
			problem = cmp.Or(problem, fmt.Errorf("fs: %q: %w", l.host.host, ErrUnknownHost))
		default:
			problem = cmp.Or(problem, h.Err)
		}
		for _, e := range h.Value.Endpoints {
			e.Weight = l.weight
			add(e)
		}
	}
	for _, gone := range slices.Collect(maps.Keys(f.hosts)) {
		if !named[gone] {
			f.hosts[gone].cancel()
			delete(f.hosts, gone)
		}
	}
	switch {
	case pending && (f.published || len(set.Endpoints) == 0):
		return s, false
	case len(set.Endpoints) == 0 && problem != nil:
		return naming.Failed[weft.EndpointSet](problem), true
	default:
		return naming.State[weft.EndpointSet]{Value: set, Known: true, Err: problem}, true
	}
}

// resolve returns what is known of a host, and follows it.
func (f *follower) resolve(ctx context.Context, hp hostPort) naming.State[weft.EndpointSet] {
	h, ok := f.hosts[hp]
	if !ok {
		ctx, cancel := context.WithCancel(ctx)
		if f.hosts == nil {
			f.hosts = map[hostPort]host{}
		}
		h = host{addrs: f.n.opts.Resolve(ctx, hp.host, hp.port), cancel: cancel}
		f.hosts[hp] = h
	}
	s, stale := h.addrs.Load()
	f.signals = append(f.signals, stale)
	return s
}

// equal reports whether readers need not be told of b after a.
func equal(a, b naming.State[weft.EndpointSet]) bool {
	return a.Known == b.Known && a.Value.Neg == b.Value.Neg &&
		sameText(a.Err, b.Err) &&
		slices.EqualFunc(a.Value.Endpoints, b.Value.Endpoints, func(x, y weft.Endpoint) bool {
			return x.Addr == y.Addr && x.Weight == y.Weight
		})
}
