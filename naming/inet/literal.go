package inet

import (
	"net/netip"
	"strconv"
	"strings"
)

// literal returns the address of a host that needs no look-up.
func literal(host string) (netip.Addr, bool) {
	if host == "" || strings.EqualFold(host, "localhost") {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), true
	}
	if in, ok := strings.CutPrefix(host, "["); ok {
		if in, ok = strings.CutSuffix(in, "]"); ok && strings.Contains(in, ":") {
			a, err := netip.ParseAddr(in)
			return a, err == nil
		}
		return netip.Addr{}, false
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap(), true
	}
	return shorthand(host)
}

// shorthand reads an IPv4 address of one to four decimal parts, of which the
// last one stands for all the bytes that the others leave, as inet_aton does.
func shorthand(host string) (netip.Addr, bool) {
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var ip uint64
	for i, p := range parts {
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (5 - len(parts))
		}
		if p == "" || p[0] < '0' || p[0] > '9' || p[0] == '0' && len(p) > 1 {
			return netip.Addr{}, false
		}
		n, err := strconv.ParseUint(p, 10, bits)
		if err != nil {
			return netip.Addr{}, false
		}
		ip = ip<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(ip >> 24), byte(ip >> 16), byte(ip >> 8), byte(ip)}), true
}
