package k8s

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"strings"
)

// serviceLabel says which service a slice is of.
const serviceLabel = "kubernetes.io/service-name"

// slice is an EndpointSlice, or an Endpoints object as if it were one: its endpoints
// all have its ports.
type slice struct {
	service   string
	labels    map[string]string
	ipv6      bool
	ports     []port
	endpoints []slot
}

// port is a TCP port. Number 0 stands for any.
type port struct {
	name   string
	number int32
}

// slot is an address that is ready.
type slot struct {
	addr netip.Addr // not valid if host is set
	host string     // to be resolved
	uid  string     // of the pod, "" if unknown
	meta map[string]string
}

func newSlices(c *Client) *kind[slice] {
	return newKind(c, kind[slice]{
		plural: "endpointslices",
		apis:   []string{"/apis/discovery.k8s.io/v1", "/apis/discovery.k8s.io/v1beta1"},
		decode: decodeSlice,
		group:  func(o object[slice]) string { return o.v.service },
	})
}

type wirePort struct {
	Name     *string `json:"name"`
	Port     *int32  `json:"port"`
	Protocol string  `json:"protocol"`
}

type wireRef struct {
	UID string `json:"uid"`
}

type wireSlice struct {
	Metadata    metadata   `json:"metadata"`
	AddressType string     `json:"addressType"`
	Ports       []wirePort `json:"ports"`
	Endpoints   []struct {
		Addresses  []string `json:"addresses"`
		Conditions struct {
			Ready *bool `json:"ready"`
		} `json:"conditions"`
		NodeName  string            `json:"nodeName"`
		Zone      string            `json:"zone"`
		Topology  map[string]string `json:"topology"` // of v1beta1
		TargetRef wireRef           `json:"targetRef"`
		Hints     struct {
			ForZones []wireHint `json:"forZones"`
			ForNodes []wireHint `json:"forNodes"`
		} `json:"hints"`
	} `json:"endpoints"`
}

type wireHint struct {
	Name string `json:"name"`
}

func decodeSlice(raw []byte) (object[slice], error) {
	var w wireSlice
	if err := json.Unmarshal(raw, &w); err != nil {
		return object[slice]{}, err
	}
	service := w.Metadata.Labels[serviceLabel]
	delete(w.Metadata.Labels, serviceLabel)
	o := objectOf(w.Metadata, slice{service: service, labels: w.Metadata.Labels, ipv6: w.AddressType == "IPv6"})
	o.v.ports = tcpPorts(w.Ports)
	metas := metaTable{}
	o.v.endpoints = make([]slot, 0, len(w.Endpoints))
	for _, e := range w.Endpoints {
		if e.Conditions.Ready != nil && !*e.Conditions.Ready {
			continue
		}
		if len(e.Addresses) == 0 {
			o.problems = append(o.problems, "an endpoint has no address")
			continue
		}
		node, zone := e.NodeName, e.Zone
		if node == "" {
			node = e.Topology["kubernetes.io/hostname"]
		}
		if zone == "" {
			zone = e.Topology["topology.kubernetes.io/zone"]
		}
		s := slot{uid: e.TargetRef.UID, meta: metas.of(placement{node, zone, hintText(e.Hints.ForZones), hintText(e.Hints.ForNodes)})}
		// Further addresses of an endpoint are the same endpoint once more.
		if err := s.setAddress(e.Addresses[0], w.AddressType == "FQDN"); err != nil {
			o.problems = append(o.problems, err.Error())
			continue
		}
		o.v.endpoints = append(o.v.endpoints, s)
	}
	return o, nil
}

// setAddress takes an address, or the name of a host if that is allowed.
func (s *slot) setAddress(text string, host bool) error {
	a, err := netip.ParseAddr(text)
	switch {
	case err == nil && a.Zone() == "" && !a.IsUnspecified():
		s.addr = a.Unmap()
	case host && text != "" && err != nil:
		s.host = text
	default:
		return fmt.Errorf("%q is not the address of an endpoint", text)
	}
	return nil
}

// tcpPorts returns the usable ones of ports. A missing protocol is TCP.
func tcpPorts(all []wirePort) []port {
	ports := make([]port, 0, len(all))
	for _, p := range all {
		if p.Protocol != "" && !strings.EqualFold(p.Protocol, "TCP") {
			continue
		}
		var q port
		if p.Name != nil {
			q.name = *p.Name
		}
		if p.Port != nil {
			q.number = *p.Port
		}
		if q.number >= 0 && q.number <= 65535 {
			ports = append(ports, q)
		}
	}
	return ports
}

func hintText(hints []wireHint) string {
	names := make([]string, len(hints))
	for i, h := range hints {
		names[i] = h.Name
	}
	return strings.Join(names, ",")
}

// placement is where an endpoint is and for whom.
type placement struct{ node, zone, forZones, forNodes string }

// metaTable makes the endpoints of an object share equal metadata.
type metaTable map[placement]map[string]string

func (t metaTable) of(p placement) map[string]string {
	if p == (placement{}) {
		return nil
	}
	m, ok := t[p]
	if !ok {
		m = map[string]string{"nodeName": p.node, "zone": p.zone, "forZones": p.forZones, "forNodes": p.forNodes}
		maps.DeleteFunc(m, func(_, v string) bool { return v == "" })
		t[p] = m
	}
	return m
}
