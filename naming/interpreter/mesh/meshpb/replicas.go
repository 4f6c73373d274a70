package meshpb

import (
	"errors"
	"maps"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

const (
	// metaWeight is the key in an endpoint's metadata of its weight. The original
	// sends text only and so never a weight; text is what we send and understand.
	metaWeight = "endpoint_addr_weight"

	metaNodeName = "nodeName"
)

// NewReplicas returns the message of what is known about an endpoint set.
func NewReplicas(st naming.State[weft.EndpointSet]) *Replicas {
	switch {
	case st.Pending():
		return &Replicas{Result: &Replicas_Pending_{Pending: &Replicas_Pending{}}}
	case !st.Known:
		return &Replicas{Result: &Replicas_Failed_{Failed: &Replicas_Failed{Message: strings.ToValidUTF8(st.Err.Error(), "\uFFFD")}}}
	case st.Value.Neg:
		return &Replicas{Result: &Replicas_Neg_{Neg: &Replicas_Neg{}}}
	}
	b := &Replicas_Bound{Metadata: st.Value.Meta}
	for _, e := range st.Value.Endpoints {
		if x := NewEndpoint(e); x != nil {
			b.Endpoints = append(b.Endpoints, x)
		}
	}
	return &Replicas{Result: &Replicas_Bound_{Bound: b}}
}

// NewEndpoint returns the message of e, or nil if it has no address that others can
// connect to.
func NewEndpoint(e weft.Endpoint) *Endpoint {
	addr, err := netip.ParseAddrPort(e.Addr)
	if err != nil || e.Local != "" {
		return nil
	}
	af := Endpoint_INET6
	if addr.Addr().Is4() {
		af = Endpoint_INET4
	}
	x := &Endpoint{
		InetAf: &af, Address: addr.Addr().AsSlice(), Port: new(int32(addr.Port())),
		Meta: &Endpoint_Meta{}, Metadata: e.Meta,
	}
	if node, ok := e.Meta[metaNodeName]; ok {
		x.Meta.NodeName = &node
	}
	if e.Weight != 0 {
		x.Metadata = maps.Clone(e.Meta)
		if x.Metadata == nil {
			x.Metadata = map[string]string{}
		}
		x.Metadata[metaWeight] = strconv.FormatFloat(e.Share(), 'g', -1, 64)
	}
	return x
}

// Value returns what x says. A message that says nothing says that there is no
// such name.
func (x *Replicas) Value() naming.State[weft.EndpointSet] {
	switch r := x.GetResult().(type) {
	case *Replicas_Pending_:
		return naming.State[weft.EndpointSet]{}
	case *Replicas_Failed_:
		text := r.Failed.GetMessage()
		if text == "" {
			text = "namerd gives no reason"
		}
		return naming.Failed[weft.EndpointSet](errors.New(text))
	case *Replicas_Bound_:
		set := weft.EndpointSet{Meta: r.Bound.GetMetadata()}
		seen := make(map[string]bool, len(r.Bound.GetEndpoints()))
		for _, x := range r.Bound.GetEndpoints() {
			if e, ok := x.Value(); ok && !seen[e.Addr] {
				seen[e.Addr] = true
				set.Endpoints = append(set.Endpoints, e)
			}
		}
		return naming.Ok(set)
	default:
		return naming.Ok(weft.EndpointSet{Neg: true})
	}
}

// Value returns the endpoint that x stands for, and false if it has no address
// that can be connected to.
func (x *Endpoint) Value() (weft.Endpoint, bool) {
	ip, ok := netip.AddrFromSlice(x.GetAddress())
	if !ok || x.GetPort() <= 0 || x.GetPort() > math.MaxUint16 {
		return weft.Endpoint{}, false
	}
	e := weft.Endpoint{Addr: netip.AddrPortFrom(ip.Unmap(), uint16(x.GetPort())).String(), Meta: x.GetMetadata()}
	node := x.GetMeta().GetNodeName()
	text, weighted := e.Meta[metaWeight]
	if !weighted && (node == "" || e.Meta[metaNodeName] != "") {
		return e, true
	}
	meta := maps.Clone(e.Meta)
	if meta == nil {
		meta = map[string]string{}
	}
	if meta[metaNodeName] == "" && node != "" {
		meta[metaNodeName] = node
	}
	if w, err := strconv.ParseFloat(text, 64); err == nil && w >= 0 && !math.IsInf(w, 0) {
		delete(meta, metaWeight)
		switch w {
		case 0:
			e.Weight = -1 // an Endpoint's way to say no traffic
		case 1: // the default, which the zero Weight is
		default:
			e.Weight = w
		}
	}
	e.Meta = meta
	if len(meta) == 0 {
		e.Meta = nil
	}
	return e, true
}
