package namerdhttp

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

type addr struct {
	Type  string         `json:"type"`
	Addrs []endpoint     `json:"addrs"`
	Meta  map[string]any `json:"meta"`
	Cause string         `json:"cause"`
}

type endpoint struct {
	IP   string         `json:"ip"`
	Port int            `json:"port"`
	Meta map[string]any `json:"meta"`
}

// ParseAddr reads what is known about an endpoint set.
func ParseAddr(b []byte) (naming.State[weft.EndpointSet], error) {
	var a *addr
	if err := json.Unmarshal(b, &a); err != nil {
		return naming.State[weft.EndpointSet]{}, err
	}
	return a.state()
}

func (a *addr) state() (naming.State[weft.EndpointSet], error) {
	var none naming.State[weft.EndpointSet]
	if a == nil {
		return none, errors.New("an endpoint set is missing")
	}
	switch a.Type {
	case "pending":
		return none, nil
	case "neg":
		return naming.Ok(weft.EndpointSet{Neg: true}), nil
	case "failed":
		if a.Cause == "" {
			a.Cause = "namerd gives no reason"
		}
		return naming.Failed[weft.EndpointSet](errors.New(a.Cause)), nil
	case "bound":
	default:
		return none, fmt.Errorf("an endpoint set of the unknown type %q", a.Type)
	}
	set := weft.EndpointSet{Meta: metaText(a.Meta)}
	seen := make(map[string]bool, len(a.Addrs))
	for _, e := range a.Addrs {
		if e, ok := e.value(); ok && !seen[e.Addr] {
			seen[e.Addr] = true
			set.Endpoints = append(set.Endpoints, e)
		}
	}
	return naming.Ok(set), nil
}

// metaWeight is the key in an endpoint's metadata of its weight, a number.
const metaWeight = "endpoint_addr_weight"

// value returns the endpoint, and false if it has no address that can be connected
// to.
func (e endpoint) value() (weft.Endpoint, bool) {
	ip, err := netip.ParseAddr(e.IP)
	if err != nil || e.Port <= 0 || e.Port > math.MaxUint16 {
		return weft.Endpoint{}, false
	}
	out := weft.Endpoint{Addr: netip.AddrPortFrom(ip.Unmap(), uint16(e.Port)).String()}
	if w, ok := e.Meta[metaWeight].(float64); ok {
		switch {
		case w == 0:
			out.Weight = -1 // an Endpoint's way to say no traffic
		case w > 0 && w != 1:
			out.Weight = w
		}
		delete(e.Meta, metaWeight)
	}
	out.Meta = metaText(e.Meta)
	return out, true
}

// metaText returns metadata with everything that is not text in its JSON form.
func metaText(m map[string]any) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		switch v := v.(type) {
		case nil:
		case string:
			out[k] = v
		case float64:
			out[k] = strconv.FormatFloat(v, 'f', -1, 64)
		default:
			b, err := json.Marshal(v)
			if err != nil {
				continue // cannot be: it was read from JSON
			}
			out[k] = string(b)
		}
	}
	return out
}
