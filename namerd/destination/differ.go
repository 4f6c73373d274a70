package destination

import (
	"encoding/binary"
	"net/netip"

	"github.com/weft-mesh/weft/namerd/destination/destpb"
)

// differ makes updates of what a client has not been told. The zero differ is one
// that was told nothing. It is not safe for concurrent use.
type differ struct {
	told  told
	known map[netip.AddrPort]bool // what the client has
}

// told is what a client was told last.
type told int

const (
	nothing told = iota
	absent       // that there is no such name
	present      // that there is, with what known has
)

// updates returns what is to be sent so that the client knows st.
func (d *differ) updates(st endpointState) []*destpb.Update {
	switch {
	case st.Pending():
		return nil
	case !st.Known, st.Value.Neg:
		if d.told == absent {
			return nil
		}
		d.told, d.known = absent, nil
		return []*destpb.Update{noEndpoints(false)}
	}
	next := make(map[netip.AddrPort]bool, len(st.Value.Endpoints))
	var add []*destpb.WeightedAddr
	for _, e := range st.Value.Endpoints {
		addr, err := netip.ParseAddrPort(e.Addr)
		if err != nil || e.Local != "" || next[addr] {
			continue // it has no address that others can connect to
		}
		next[addr] = true
		if !d.known[addr] {
			add = append(add, &destpb.WeightedAddr{Addr: tcpAddress(addr), Weight: new(uint32(1))})
		}
	}
	var remove []*destpb.TcpAddress
	for addr := range d.known {
		if !next[addr] {
			remove = append(remove, tcpAddress(addr))
		}
	}
	first := d.told != present
	d.told, d.known = present, next
	var all []*destpb.Update
	if len(add) > 0 {
		all = append(all, &destpb.Update{Update: &destpb.Update_Add{Add: &destpb.WeightedAddrSet{Addrs: add}}})
	}
	if len(remove) > 0 {
		all = append(all, &destpb.Update{Update: &destpb.Update_Remove{Remove: &destpb.AddrSet{Addrs: remove}}})
	}
	if first && len(next) == 0 {
		all = append(all, noEndpoints(true))
	}
	return all
}

func noEndpoints(exists bool) *destpb.Update {
	return &destpb.Update{Update: &destpb.Update_NoEndpoints{NoEndpoints: &destpb.NoEndpoints{Exists: &exists}}}
}

func tcpAddress(a netip.AddrPort) *destpb.TcpAddress {
	ip := &destpb.IPAddress{}
	if addr := a.Addr().Unmap(); addr.Is4() {
		b := addr.As4()
		ip.Ip = &destpb.IPAddress_Ipv4{Ipv4: binary.BigEndian.Uint32(b[:])}
	} else {
		b := addr.As16()
		ip.Ip = &destpb.IPAddress_Ipv6{Ipv6: &destpb.IPv6{
			First: binary.BigEndian.Uint64(b[:8]), Last: binary.BigEndian.Uint64(b[8:]),
		}}
	}
	return &destpb.TcpAddress{Ip: ip, Port: uint32(a.Port())}
}
