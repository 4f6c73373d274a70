package dns

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"

	wire "github.com/miekg/dns"
)

// host is a name whose addresses are asked for again and again.
type host struct {
	name  string // as it was given: without a dot at its end, search domains are tried
	found string // the full name that had addresses last
	four  []netip.Addr
	six   []netip.Addr
}

// addrs returns the addresses that are known, sorted.
func (h *host) addrs() []netip.Addr {
	all := slices.Concat(h.four, h.six)
	slices.SortFunc(all, netip.Addr.Compare)
	return slices.Compact(all)
}

// refresh asks for the addresses of h and returns how long they are true. Absent
// says that there are none. An error says that some or all of them could not be
// asked for; h then has what was known of those before.
func (a *asker) refresh(ctx context.Context, h *host) (ttl time.Duration, absent bool, err error) {
	ttl = forever
	six := reachesIPv6(a.o.InterfaceAddrs)
	for _, name := range a.conf.load().candidates(h.name) {
		four, errFour, sixth, errSix := a.both(ctx, name, six)
		switch {
		case len(four.records)+len(sixth.records) > 0:
			if h.found != name {
				h.found, h.four, h.six = name, nil, nil
			}
			// That a family has no addresses holds as long as those of the other: most
			// hosts have no AAAA records, and their A records' TTL is to count.
			if errFour == nil {
				h.four = addressesIn(four.records, "")
			}
			if errSix == nil {
				h.six = addressesIn(sixth.records, "")
			}
			if len(four.records) > 0 {
				ttl = min(ttl, four.ttl)
			}
			if len(sixth.records) > 0 {
				ttl = min(ttl, sixth.ttl)
			}
			if errFour != nil {
				return ttl, false, errFour
			}
			return ttl, false, errSix
		case errFour == nil && four.no || errSix == nil && sixth.no || errFour == nil && errSix == nil:
			ttl = min(ttl, four.ttl, sixth.ttl)
		default:
			if err == nil {
				err = errFour
			}
			if err == nil {
				err = errSix
			}
			if h.found == name {
				return ttl, false, err // another candidate is not what was known under this name
			}
		}
	}
	if err != nil {
		return ttl, false, err
	}
	h.found, h.four, h.six = "", nil, nil
	return min(ttl, forever), true, nil
}

// both asks for A and, if six is set, for AAAA records at the same time.
func (a *asker) both(ctx context.Context, name string, six bool) (four answer, errFour error, sixth answer, errSix error) {
	done := make(chan struct{})
	sixth.ttl = forever
	go func() {
		defer close(done)
		if six {
			if sixth, errSix = a.lookup(ctx, name, wire.TypeAAAA); errSix != nil {
				sixth.ttl = forever
			}
		}
	}()
	if four, errFour = a.lookup(ctx, name, wire.TypeA); errFour != nil {
		four.ttl = forever
	}
	<-done
	return four, errFour, sixth, errSix
}

// reachesIPv6 reports whether one of the machine's addresses is an IPv6 address
// that is of use beyond the link.
func reachesIPv6(local func() ([]net.Addr, error)) bool {
	addrs, err := local()
	return err == nil && slices.ContainsFunc(addrs, func(l net.Addr) bool {
		n, ok := l.(*net.IPNet)
		if !ok {
			return false
		}
		a, ok := netip.AddrFromSlice(n.IP)
		return ok && a.Is6() && !a.Is4In6() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsUnspecified()
	})
}
