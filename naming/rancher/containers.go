package rancher

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/weft-mesh/weft"
)

// errGarbled is in the chain of the error of an answer that Rancher does not give.
var errGarbled = errors.New("unintelligible answer")

// running is the state of a container that takes traffic.
const running = "running"

// service identifies a service, in lower case.
type service struct{ stack, name string }

// services are the addresses of the running containers of each service, in the order
// of the list and without duplicates.
type services map[service][]netip.Addr

// String is the answer in the status of the watch.
func (all services) String() string {
	containers := 0
	for _, addrs := range all {
		containers += len(addrs)
	}
	return fmt.Sprintf("running containers: %d, of services: %d", containers, len(all))
}

// at returns the endpoints of a service at a port.
func (all services) at(s service, port uint16) weft.EndpointSet {
	addrs := all[s]
	if len(addrs) == 0 {
		return weft.EndpointSet{Neg: true}
	}
	set := weft.EndpointSet{Endpoints: make([]weft.Endpoint, len(addrs))}
	for i, a := range addrs {
		set.Endpoints[i].Addr = netip.AddrPortFrom(a, port).String()
	}
	return set
}

// malformed is a container that cannot be understood.
type malformed struct {
	name string
	raw  []byte
	err  error
}

// decodeContainers reads the list of containers. What is left out of it is in bad.
func decodeContainers(body []byte) (all services, bad []malformed, err error) {
	var list *[]json.RawMessage
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, nil, fmt.Errorf("%w: want a list: %w", errGarbled, err)
	}
	if list == nil {
		return nil, nil, fmt.Errorf("%w: want a list", errGarbled)
	}
	all = services{}
	seen := map[service]map[netip.Addr]bool{}
	good := 0
	for _, raw := range *list {
		var c *struct {
			Name        string `json:"name"`
			State       string `json:"state"`
			StackName   string `json:"stack_name"`
			ServiceName string `json:"service_name"`
			PrimaryIP   string `json:"primary_ip"`
		}
		err := json.Unmarshal(raw, &c)
		if err == nil && c == nil {
			err = errors.New("want an object")
		}
		if err != nil {
			bad = append(bad, malformed{raw: raw, err: err})
			continue
		}
		if c.State != running || c.StackName == "" || c.ServiceName == "" || c.PrimaryIP == "" {
			good++ // not part of a service, or not on the network yet
			continue
		}
		ip, err := netip.ParseAddr(c.PrimaryIP)
		if err != nil {
			bad = append(bad, malformed{name: c.Name, raw: raw, err: fmt.Errorf("primary_ip: %w", err)})
			continue
		}
		good++
		s := service{stack: strings.ToLower(c.StackName), name: strings.ToLower(c.ServiceName)}
		if seen[s] == nil {
			seen[s] = map[netip.Addr]bool{}
		}
		if ip = ip.Unmap(); !seen[s][ip] {
			seen[s][ip] = true
			all[s] = append(all[s], ip)
		}
	}
	if good == 0 && len(bad) > 0 {
		return nil, bad, fmt.Errorf("%w: none of %d containers can be understood: %w", errGarbled, len(bad), bad[0].err)
	}
	return all, bad, nil
}

// decodeVersion reads the version of the metadata, which is plain text or a string
// of JSON.
func decodeVersion(body []byte) (string, error) {
	text := strings.TrimSpace(string(body))
	if strings.HasPrefix(text, `"`) {
		var s string
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			return "", fmt.Errorf("%w: %w", errGarbled, err)
		}
		text = s
	}
	if text == "" || len(text) > maxVersion || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '<' }) {
		return "", fmt.Errorf("%w: want a version without blanks", errGarbled)
	}
	return text, nil
}
