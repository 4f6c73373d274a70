package transformer

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
)

// MetaNodeName is the key in an Endpoint's Meta of the machine that it runs on, as
// the Kubernetes namers set it.
const MetaNodeName = "nodeName"

// LocalnodeConfig is the configuration of io.l5d.k8s.localnode, which keeps the
// endpoints on this pod's machine.
type LocalnodeConfig struct {
	// HostNetwork says that pods have the addresses of their machines, so that
	// machines are told apart by name.
	HostNetwork bool `yaml:"hostNetwork"`

	// PodIP is the address of this pod, usually the environment variable POD_IP.
	// Endpoints in the same /24, or for IPv6 the same /64, are on the same machine. It
	// is required without HostNetwork.
	PodIP string `yaml:"-"`

	// NodeName is the name of this machine, usually the environment variable
	// NODE_NAME. It is required with HostNetwork.
	NodeName string `yaml:"-"`

	// Prefix is the whole prefix of the ids. The empty path is
	// /%/io.l5d.k8s.localnode/<PodIP or NodeName>.
	Prefix dtab.Path `yaml:"-"`
}

// NewLocalnode returns the transformer.
func NewLocalnode(c LocalnodeConfig) (Transformer, error) {
	keep, which, err := c.keep()
	if err != nil {
		return nil, fmt.Errorf("transformer: io.l5d.k8s.localnode: %w", err)
	}
	prefix, err := prefixOr(c.Prefix, "io.l5d.k8s.localnode", which)
	if err != nil {
		return nil, err
	}
	return Endpoints{Prefix: prefix, Name: "io.l5d.k8s.localnode", Change: filter(keep)}, nil
}

// keep returns what accepts endpoints on this machine, and what the machine is known
// by.
func (c LocalnodeConfig) keep() (func(weft.Endpoint) bool, string, error) {
	if c.HostNetwork {
		if c.NodeName == "" {
			return nil, "", errors.New("NODE_NAME environment variable must be set to the node's name")
		}
		return func(e weft.Endpoint) bool {
			_, inet := addrOf(e)
			return !inet || e.Meta[MetaNodeName] == c.NodeName
		}, c.NodeName, nil
	}
	if c.PodIP == "" {
		return nil, "", errors.New("POD_IP environment variable must be set to the pod's IP")
	}
	ip, err := netip.ParseAddr(c.PodIP)
	if err != nil {
		return nil, "", fmt.Errorf("POD_IP environment variable: %w", err)
	}
	here := machine(plain(ip))
	return func(e weft.Endpoint) bool {
		a, inet := addrOf(e)
		return !inet || here.Contains(a)
	}, c.PodIP, nil
}

// machine returns the network that the pods of one machine have in common: the /24
// that Kubernetes gives each, or its /64 for IPv6.
func machine(a netip.Addr) netip.Prefix {
	bits := 24
	if a.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(a, bits).Masked()
}
