package static

import (
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
)

// Config says what a Namer begins with.
type Config struct {
	// Prefix is the whole prefix of the namer, with which the ids of its names begin.
	// The empty path is /#/static.
	Prefix dtab.Path `yaml:"-"`

	// Names are the endpoints of each name, as Set takes them.
	Names map[string][]string `yaml:"names"`
}

// parseName reads a name, whose leading slash may be left out.
func parseName(name string) (dtab.Path, error) {
	p, err := dtab.ParsePath("/" + strings.TrimPrefix(name, "/"))
	if err == nil && p.IsEmpty() {
		return p, fmt.Errorf("static: name %q: must have an element", name)
	}
	if err != nil {
		return p, fmt.Errorf("static: name %q: %w", name, err)
	}
	return p, nil
}

// parseAddrs reads a set of host:port or "host:port * weight". Of two with the
// same host:port the first counts.
func parseAddrs(addrs []string) (weft.EndpointSet, error) {
	set := weft.EndpointSet{Endpoints: make([]weft.Endpoint, 0, len(addrs))}
	seen := make(map[string]bool, len(addrs))
	for _, text := range addrs {
		e, err := parseAddr(text)
		if err != nil {
			return weft.EndpointSet{}, fmt.Errorf("static: address %q: %w", text, err)
		}
		if !seen[e.Addr] {
			seen[e.Addr] = true
			set.Endpoints = append(set.Endpoints, e)
		}
	}
	return set, nil
}

func parseAddr(text string) (weft.Endpoint, error) {
	addr, weight, weighted := strings.Cut(text, "*")
	addr = strings.TrimSpace(addr)
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" {
		return weft.Endpoint{}, errors.New("must be host:port or host:port * weight")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return weft.Endpoint{}, errors.New("port must be a number from 1 to 65535")
	}
	e := weft.Endpoint{Addr: addr}
	if !weighted {
		return e, nil
	}
	e.Weight, err = strconv.ParseFloat(strings.TrimSpace(weight), 64)
	if err != nil || e.Weight < 0 || math.IsNaN(e.Weight) || math.IsInf(e.Weight, 0) {
		return weft.Endpoint{}, errors.New("weight must be a number that is not negative")
	}
	if e.Weight == 0 {
		e.Weight = -1 // an Endpoint's way to say no traffic
	}
	return e, nil
}
