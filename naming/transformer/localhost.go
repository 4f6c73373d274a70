package transformer

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
)

// LocalhostConfig is the configuration of io.l5d.localhost, which keeps the endpoints
// on this machine.
type LocalhostConfig struct {
	// Prefix is the whole prefix of the ids. The empty path is /%/io.l5d.localhost.
	Prefix dtab.Path `yaml:"-"`

	// Addrs are the addresses of this machine. Nil is those of all interfaces that are
	// up when the transformer is made, loopback included.
	Addrs []netip.Addr `yaml:"-"`
}

// NewLocalhost returns the transformer.
func NewLocalhost(c LocalhostConfig) (Transformer, error) {
	if c.Addrs == nil {
		var err error
		if c.Addrs, err = interfaceAddrs(); err != nil {
			return nil, fmt.Errorf("transformer: io.l5d.localhost: %w", err)
		}
	}
	prefix, err := prefixOr(c.Prefix, "io.l5d.localhost")
	if err != nil {
		return nil, err
	}
	return Endpoints{Prefix: prefix, Name: "io.l5d.localhost", Change: filter(among(c.Addrs))}, nil
}

// among returns what accepts endpoints at one of the addresses.
func among(addrs []netip.Addr) func(weft.Endpoint) bool {
	set := make(map[netip.Addr]struct{}, len(addrs))
	for _, a := range addrs {
		set[plain(a)] = struct{}{}
	}
	return func(e weft.Endpoint) bool {
		a, ok := addrOf(e)
		if !ok {
			return true // it is none that could be compared
		}
		_, ok = set[a]
		return ok
	}
}

// addrOf returns the IP address of an endpoint, and false if it has none.
func addrOf(e weft.Endpoint) (netip.Addr, bool) {
	host, _, err := net.SplitHostPort(e.Addr)
	if err != nil || e.Local != "" {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(host)
	return plain(a), err == nil
}

// plain returns an address as it compares: IPv4 as such, and without the zone, which
// another machine or program may call otherwise.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// interfaceAddrs returns the addresses of the interfaces that are up.
func interfaceAddrs() ([]netip.Addr, error) {
	ifs, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	addrs := []netip.Addr{}
	for _, i := range ifs {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		nets, err := i.Addrs()
		if err != nil {
			return nil, fmt.Errorf("interface %s: %w", i.Name, err)
		}
		for _, n := range nets {
			if n, ok := n.(*net.IPNet); ok {
				if a, ok := netip.AddrFromSlice(n.IP); ok {
					addrs = append(addrs, plain(a))
				}
			}
		}
	}
	return addrs, nil
}
