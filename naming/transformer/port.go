package transformer

import (
	"fmt"
	"net"
	"strconv"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
)

// PortConfig is the configuration of io.l5d.port, which sends everything to one port
// of the endpoints' machines.
type PortConfig struct {
	// Port is required, 1 to 65535.
	Port int `yaml:"port"`

	// Prefix is the whole prefix of the ids. The empty path is
	// /%/io.l5d.port/<port>.
	Prefix dtab.Path `yaml:"-"`
}

// NewPort returns the transformer.
func NewPort(c PortConfig) (Transformer, error) {
	if c.Port < 1 || c.Port > 65535 {
		return nil, fmt.Errorf("transformer: io.l5d.port: port: %d is not a port, want 1 to 65535", c.Port)
	}
	port := strconv.Itoa(c.Port)
	prefix, err := prefixOr(c.Prefix, "io.l5d.port", port)
	if err != nil {
		return nil, err
	}
	return Endpoints{Prefix: prefix, Name: "io.l5d.port", Change: func(set weft.EndpointSet) weft.EndpointSet {
		var all distinct
		for _, e := range set.Endpoints {
			if host, _, err := net.SplitHostPort(e.Addr); err == nil && e.Local == "" {
				e.Addr = net.JoinHostPort(host, port)
			}
			all.add(e)
		}
		set.Endpoints = all.endpoints
		return set
	}}, nil
}

// distinct collects endpoints, each address once: of two the first.
type distinct struct {
	endpoints []weft.Endpoint
	seen      map[string]struct{}
}

func (d *distinct) add(e weft.Endpoint) {
	if d.seen == nil {
		d.seen = map[string]struct{}{}
	}
	if _, twice := d.seen[e.Addr]; !twice {
		d.seen[e.Addr] = struct{}{}
		d.endpoints = append(d.endpoints, e)
	}
}

// prefixOr returns the configured prefix, or the one of a kind: /%, and elements.
func prefixOr(configured dtab.Path, elems ...string) (dtab.Path, error) {
	if !configured.IsEmpty() {
		return configured, nil
	}
	p, err := dtab.PathOf(append([]string{"%"}, elems...)...)
	if err != nil {
		return dtab.Path{}, fmt.Errorf("transformer: %s: the prefix of its ids: %w", elems[0], err)
	}
	return p, nil
}
