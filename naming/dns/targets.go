package dns

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	wire "github.com/miekg/dns"

	"github.com/weft-mesh/weft"
)

// zeroWeight is the share of a target of weight 0 beside others, which RFC 2782 wants
// to be very small.
const zeroWeight = 0.1

// target is one SRV record.
type target struct {
	host             string // in lower case
	port             uint16
	priority, weight uint16
}

// targetsIn returns the targets of SRV records, those with the lowest priority
// first. A target "." says that there is no service (RFC 2782).
func targetsIn(rrs []wire.RR) []target {
	var all []target
	for _, rr := range rrs {
		s, ok := rr.(*wire.SRV)
		if !ok || s.Target == "" || s.Target == "." || s.Port == 0 {
			continue
		}
		all = append(all, target{strings.ToLower(s.Target), s.Port, s.Priority, s.Weight})
	}
	slices.SortFunc(all, func(a, b target) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), strings.Compare(a.host, b.host),
			cmp.Compare(a.port, b.port), cmp.Compare(b.weight, a.weight))
	})
	return slices.CompactFunc(all, func(a, b target) bool {
		return a.priority == b.priority && a.host == b.host && a.port == b.port
	})
}

// endpointsOf returns the endpoints of targets that targetsIn has sorted: of those
// with the lowest priority that have an address, or, alike, of all of them. The
// endpoints are sorted by address.
func endpointsOf(all []target, addrs func(host string) []netip.Addr, alike bool) []weft.Endpoint {
	for len(all) > 0 {
		group := all
		if !alike {
			end := slices.IndexFunc(all, func(t target) bool { return t.priority != all[0].priority })
			if end >= 0 {
				group = all[:end]
			}
		}
		if eps := endpointsOfGroup(group, addrs, alike); len(eps) > 0 {
			return eps
		}
		all = all[len(group):]
	}
	return nil
}

func endpointsOfGroup(group []target, addrs func(host string) []netip.Addr, alike bool) []weft.Endpoint {
	shares := map[netip.AddrPort]float64{}
	even := true // all endpoints have the same share
	for _, t := range group {
		found := addrs(t.host)
		for _, a := range found {
			at := netip.AddrPortFrom(a, t.port)
			weight := float64(t.weight)
			if t.weight == 0 {
				weight = zeroWeight
			}
			shares[at] += weight / float64(len(found))
		}
	}
	list := make([]netip.AddrPort, 0, len(shares))
	for at := range shares {
		even = even && (len(list) == 0 || shares[at] == shares[list[0]])
		list = append(list, at)
	}
	slices.SortFunc(list, netip.AddrPort.Compare)
	eps := make([]weft.Endpoint, len(list))
	for i, at := range list {
		eps[i].Addr = at.String()
		if !even && !alike {
			eps[i].Weight = shares[at]
		}
	}
	return eps
}
