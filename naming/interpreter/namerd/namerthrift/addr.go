package namerthrift

import (
	"errors"
	"math"
	"net/netip"

	"github.com/weft-mesh/weft"
)

const (
	metaAuthority = "authority"
	metaNodeName  = "nodeName"
)

// NewAddrVal returns set as it is sent. Of the metadata only the authority and the
// name of the node have a place. The original sends a weight only beside one of
// them; this does so always.
func NewAddrVal(set weft.EndpointSet) *AddrVal {
	if set.Neg {
		return &AddrVal{Neg: &Void{}}
	}
	b := &BoundAddr{Addresses: []TransportAddress{}, Meta: newAddrMeta(set.Meta, nil)}
	for _, e := range set.Endpoints {
		addr, err := netip.ParseAddrPort(e.Addr)
		if err != nil || e.Local != "" {
			continue // it has no address that others can connect to
		}
		var weight *float64
		if e.Weight != 0 {
			w := e.Share()
			weight = &w
		}
		b.Addresses = append(b.Addresses, TransportAddress{
			IP: addr.Addr().AsSlice(), Port: int32(addr.Port()), Meta: newAddrMeta(e.Meta, weight),
		})
	}
	return &AddrVal{Bound: b}
}

func newAddrMeta(meta map[string]string, weight *float64) *AddrMeta {
	x := &AddrMeta{Weight: weight}
	if a, ok := meta[metaAuthority]; ok {
		x.Authority = &a
	}
	if n, ok := meta[metaNodeName]; ok {
		x.NodeName = &n
	}
	if *x == (AddrMeta{}) {
		return nil
	}
	return x
}

// Value returns the set that x stands for. Endpoints that cannot be connected to
// are left out.
func (x *AddrVal) Value() (weft.EndpointSet, error) {
	switch {
	case x == nil, !one(x.Bound != nil, x.Neg != nil):
		return weft.EndpointSet{}, errors.New("an answer that is neither a set of endpoints nor that there is none")
	case x.Neg != nil:
		return weft.EndpointSet{Neg: true}, nil
	}
	set := weft.EndpointSet{Meta: x.Bound.Meta.value()}
	seen := make(map[string]bool, len(x.Bound.Addresses))
	for _, a := range x.Bound.Addresses {
		if e, ok := a.value(); ok && !seen[e.Addr] {
			seen[e.Addr] = true
			set.Endpoints = append(set.Endpoints, e)
		}
	}
	return set, nil
}

func (x *TransportAddress) value() (weft.Endpoint, bool) {
	ip, ok := netip.AddrFromSlice(x.IP)
	if !ok || x.Port <= 0 || x.Port > math.MaxUint16 {
		return weft.Endpoint{}, false
	}
	e := weft.Endpoint{Addr: netip.AddrPortFrom(ip.Unmap(), uint16(x.Port)).String(), Meta: x.Meta.value()}
	if x.Meta == nil || x.Meta.Weight == nil {
		return e, true
	}
	switch w := *x.Meta.Weight; {
	case w == 0:
		e.Weight = -1 // an Endpoint's way to say no traffic
	case w > 0 && w != 1 && !math.IsInf(w, 0):
		e.Weight = w
	}
	return e, true
}

func (x *AddrMeta) value() map[string]string {
	if x == nil || x.Authority == nil && x.NodeName == nil {
		return nil
	}
	meta := map[string]string{}
	if x.Authority != nil {
		meta[metaAuthority] = *x.Authority
	}
	if x.NodeName != nil {
		meta[metaNodeName] = *x.NodeName
	}
	return meta
}
