package transformer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// DaemonsetConfig is the configuration of io.l5d.k8s.daemonset, which replaces every
// endpoint by the pods of a daemon set that run on the endpoint's machine: proxies
// that the traffic is to go through.
type DaemonsetConfig struct {
	// Namespace, Port and Service name the service of the daemon set's pods. They are
	// required.
	Namespace string `yaml:"namespace"`
	Port      string `yaml:"port"`
	Service   string `yaml:"service"`

	// HostNetwork says that pods have the addresses of their machines, so that
	// machines are told apart by the nodeName in the endpoints' metadata. Otherwise
	// two endpoints in the same /24, or for IPv6 the same /64, are on one machine.
	HostNetwork bool `yaml:"hostNetwork"`

	// Prefix is the whole prefix of the ids. The empty path is
	// /%/io.l5d.k8s.daemonset/<namespace>/<port>/<service>.
	Prefix dtab.Path `yaml:"-"`
}

// NewDaemonset returns the transformer, which is an io.Closer and a naming.Reporter.
//
// gateways is the namer that is asked for /<namespace>/<port>/<service>, in lower
// case, for the daemon set's endpoints, such as io.l5d.k8s. It is asked while there is
// a name to transform. It is closed with the transformer if it is an io.Closer.
func NewDaemonset(c DaemonsetConfig, gateways naming.Namer, o Options) (Transformer, error) {
	const kind = "io.l5d.k8s.daemonset"
	for _, key := range []struct{ name, value string }{{"namespace", c.Namespace}, {"port", c.Port}, {"service", c.Service}} {
		if key.value == "" {
			return nil, fmt.Errorf("transformer: %s: %s: is required", kind, key.name)
		}
	}
	if gateways == nil {
		return nil, errors.New("transformer: io.l5d.k8s.daemonset: there is no namer that knows its endpoints")
	}
	prefix, err := prefixOr(c.Prefix, kind, c.Namespace, c.Port, c.Service)
	if err != nil {
		return nil, err
	}
	service, err := dtab.PathOf(strings.ToLower(c.Namespace), strings.ToLower(c.Port), strings.ToLower(c.Service))
	if err != nil {
		return nil, fmt.Errorf("transformer: %s: %w", kind, err)
	}
	r := &relative{
		prefix: prefix, name: kind, joins: newJoins(), refKey: "gateways " + service.String(), change: bySubnet,
		ref: naming.NewShared(naming.WatchFunc[string, weft.EndpointSet](
			func(ctx context.Context, _ string, set func(naming.State[weft.EndpointSet])) error {
				return naming.FollowEndpoints(ctx, boundPart(gateways.Lookup(ctx, service)), set)
			}), naming.SharedOptions{Logger: o.Logger}),
	}
	if c.HostNetwork {
		r.change = byNode
	}
	if closer, ok := gateways.(io.Closer); ok {
		r.owned = closer.Close
	}
	return r, nil
}

// boundPart returns a namer's answer with its bound leaves; the others are nil.
func boundPart(src weft.Source[answer]) Bound {
	return naming.Derive(src, func(a answer) State {
		return naming.MapState(a, func(t dtab.Tree[naming.Name]) dtab.Tree[*naming.Bound] {
			return dtab.Map(t, func(n naming.Name) *naming.Bound { return n.Bound })
		})
	})
}

// bySubnet replaces endpoints by the gateways in the same network.
func bySubnet(set, gateways weft.EndpointSet) weft.EndpointSet {
	return replaced(set, gateways, func(e weft.Endpoint) (netip.Prefix, bool) {
		a, ok := addrOf(e)
		if !ok {
			return netip.Prefix{}, false
		}
		return machine(a), true
	})
}

// byNode replaces endpoints by the gateways on a machine of the same name. Machines
// without a name are not the same machine.
func byNode(set, gateways weft.EndpointSet) weft.EndpointSet {
	return replaced(set, gateways, func(e weft.Endpoint) (string, bool) {
		node := e.Meta[MetaNodeName]
		return node, node != ""
	})
}

// replaced replaces every endpoint by the gateways on the same machine; on says which
// that is. Answers that the proxy gives itself stay.
func replaced[M comparable](set, gateways weft.EndpointSet, on func(weft.Endpoint) (M, bool)) weft.EndpointSet {
	byMachine := map[M][]weft.Endpoint{}
	for _, g := range gateways.Endpoints {
		if m, ok := on(g); ok {
			byMachine[m] = append(byMachine[m], g)
		}
	}
	var all distinct
	for _, e := range set.Endpoints {
		if e.Local != "" {
			all.add(e)
			continue
		}
		m, ok := on(e)
		if !ok {
			continue
		}
		for _, g := range byMachine[m] {
			all.add(g)
		}
		delete(byMachine, m) // one machine's gateways once, however many endpoints it has
	}
	set.Endpoints = all.endpoints
	return set
}
