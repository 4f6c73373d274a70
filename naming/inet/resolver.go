package inet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// ErrBadPort is in the chain of the state of a name whose port is none.
var ErrBadPort = errors.New("must be a number from 0 to 65535")

// maxRemembered is the number of hosts whose addresses ResolveOnce remembers.
const maxRemembered = 16000

// Resolver keeps the addresses of hosts up to date. Observers of one host and
// port share one poll, which ends with the last of them. It is safe for
// concurrent use. Close it.
type Resolver struct {
	o      Options
	names  *naming.Shared[name, weft.EndpointSet]
	lookup chan struct{} // holds one token per look-up under way

	mu         sync.Mutex
	remembered map[string][]netip.Addr // for ResolveOnce; nil stands for an unknown host
}

// name is what a poll is about.
type name struct {
	host string
	port uint16
	once bool
}

// String returns host:port.
func (n name) String() string { return net.JoinHostPort(n.host, strconv.Itoa(int(n.port))) }

// Watches implements naming.Reporter: one watch for each host and port in use.
func (r *Resolver) Watches() []naming.WatchStatus { return r.names.Watches() }

// New returns a Resolver. It does nothing until something is resolved.
func New(o Options) *Resolver {
	o = o.withDefaults()
	r := &Resolver{o: o, lookup: make(chan struct{}, o.MaxLookups), remembered: map[string][]netip.Addr{}}
	r.names = naming.NewShared(naming.WatchFunc[name, weft.EndpointSet](r.watch), naming.SharedOptions{
		Linger: o.Linger,
		Logger: o.Logger,
	})
	return r
}

// Resolve returns the endpoints of host at port, kept up to date until ctx ends.
// It does not block.
//
// The state is pending until the first answer. A host that does not exist is a
// set with Neg; a host without usable addresses is an empty set. Any other
// failure keeps the last answer and, before the first one, is the state. A port
// outside of 0 to 65535 is a failure with ErrBadPort. The endpoints are sorted by
// address.
func (r *Resolver) Resolve(ctx context.Context, host, port string) weft.Source[naming.State[weft.EndpointSet]] {
	return r.resolve(ctx, host, port, false)
}

// ResolveOnce is Resolve without the polling: the first answer, also that there
// is no such host, holds as long as the Resolver remembers the host, which it
// does for up to 16000 of them. Failures are retried.
func (r *Resolver) ResolveOnce(ctx context.Context, host, port string) weft.Source[naming.State[weft.EndpointSet]] {
	return r.resolve(ctx, host, port, true)
}

// Close ends all polls and waits for them. What has been handed out stands still.
func (r *Resolver) Close() error { return r.names.Close() }

func (r *Resolver) resolve(ctx context.Context, host, port string, once bool) weft.Source[naming.State[weft.EndpointSet]] {
	n, err := strconv.Atoi(port)
	if err != nil || n < 0 || n > 65535 {
		err := fmt.Errorf("inet: port %q of host %q: %w", port, host, ErrBadPort)
		return weft.Const[naming.State[weft.EndpointSet]]{V: naming.Failed[weft.EndpointSet](err)}
	}
	if a, ok := literal(host); ok {
		return weft.Const[naming.State[weft.EndpointSet]]{V: naming.Ok(setOf([]netip.Addr{a}, uint16(n)))}
	}
	return r.names.Observe(ctx, name{host: strings.ToLower(host), port: uint16(n), once: once})
}

// watch polls one name. It publishes changes only, so that a quiet DNS wakes
// nobody up.
func (r *Resolver) watch(ctx context.Context, n name, set func(naming.State[weft.EndpointSet])) error {
	var last []netip.Addr
	published := false // what was published last is last, without an error
	for ctx.Err() == nil {
		addrs, err := r.find(ctx, n)
		pause := r.o.Every
		switch {
		case err != nil: // a report after the end of ctx is void
			set(naming.Failed[weft.EndpointSet](fmt.Errorf("inet: look up %q: %w", n.host, err)))
			published = false
			pause /= 5
		case !published || !slices.Equal(addrs, last) || (addrs == nil) != (last == nil):
			set(naming.Ok(setOf(addrs, n.port)))
			last, published = addrs, true
		}
		if published && n.once {
			<-ctx.Done()
			return nil
		}
		sleep(ctx, pause)
	}
	return nil
}

// find returns the usable addresses of a name, sorted; nil if there is no such
// host. A name that is to be resolved once is looked up only if it is new.
func (r *Resolver) find(ctx context.Context, n name) ([]netip.Addr, error) {
	if !n.once {
		return r.ask(ctx, n.host)
	}
	r.mu.Lock()
	addrs, ok := r.remembered[n.host]
	r.mu.Unlock()
	if ok {
		return addrs, nil
	}
	addrs, err := r.ask(ctx, n.host)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for victim := range r.remembered {
		if len(r.remembered) < maxRemembered {
			break
		}
		delete(r.remembered, victim)
	}
	r.remembered[n.host] = addrs
	return addrs, nil
}

// ask looks host up when it is its turn.
func (r *Resolver) ask(ctx context.Context, host string) ([]netip.Addr, error) {
	select {
	case r.lookup <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-r.lookup }()
	ctx, cancel := context.WithTimeout(ctx, r.o.Timeout)
	defer cancel()
	addrs, err := r.o.Lookup.LookupNetIP(ctx, "ip", host)
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return r.usable(addrs), nil
}

// usable returns the addresses that this machine can reach, sorted and without
// duplicates. It is never nil.
func (r *Resolver) usable(addrs []netip.Addr) []netip.Addr {
	out := make([]netip.Addr, 0, len(addrs))
	six, asked := false, false
	for _, a := range addrs {
		a = a.Unmap()
		if a.Is6() && !asked {
			local, err := r.o.InterfaceAddrs()
			six, asked = err == nil && reachesIPv6(local), true
		}
		if a.Is4() || six {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

// reachesIPv6 reports whether one of the machine's addresses is an IPv6 address
// that is of use beyond the link.
func reachesIPv6(local []net.Addr) bool {
	for _, l := range local {
		n, ok := l.(*net.IPNet)
		if !ok {
			continue
		}
		a, ok := netip.AddrFromSlice(n.IP)
		if ok && a.Is6() && !a.Is4In6() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsUnspecified() {
			return true
		}
	}
	return false
}

// setOf returns the endpoint set of addresses; nil addresses are a set that does
// not exist.
func setOf(addrs []netip.Addr, port uint16) weft.EndpointSet {
	if addrs == nil {
		return weft.EndpointSet{Neg: true}
	}
	set := weft.EndpointSet{Endpoints: make([]weft.Endpoint, len(addrs))}
	for i, a := range addrs {
		set.Endpoints[i].Addr = netip.AddrPortFrom(a, port).String()
	}
	return set
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
