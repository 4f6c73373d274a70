package zk

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	memberPrefix = "member_"
	vectorPrefix = "vector_"
	alive        = "ALIVE"
)

// hostPort is an address as registered.
type hostPort struct {
	Host string `json:"host"`
	Port int    `json:"port"`
}

// member is what the znode of a member of a serverset says.
type member struct {
	name       string
	service    hostPort
	additional map[string]hostPort
	status     string
	shard      int // -1 if it has none
}

// memberJSON is a member as Finagle and Aurora write it.
type memberJSON struct {
	Service    *hostPort                  `json:"serviceEndpoint"`
	Additional map[string]json.RawMessage `json:"additionalEndpoints"`
	Status     string                     `json:"status"`
	Shard      *int                       `json:"shard"`
}

// parseMember reads a member. One without a service endpoint is fine if it has
// others, and an additional endpoint that cannot be read is as none; a status that is
// not known is one that is not ALIVE.
func parseMember(name string, data []byte) (member, error) {
	var j memberJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return member{}, fmt.Errorf("want JSON of a serverset's member: %w", err)
	}
	m := member{name: name, additional: map[string]hostPort{}, status: j.Status, shard: -1}
	if j.Shard != nil {
		m.shard = *j.Shard
	}
	if j.Service != nil {
		m.service = *j.Service
		if err := m.service.check("serviceEndpoint"); err != nil {
			return member{}, err
		}
	}
	for endpoint, text := range j.Additional {
		var hp hostPort
		if json.Unmarshal(text, &hp) == nil && hp.check(endpoint) == nil {
			m.additional[endpoint] = hp
		}
	}
	if j.Service == nil && len(m.additional) == 0 {
		return member{}, errors.New("want JSON with serviceEndpoint {host, port}")
	}
	return m, nil
}

func (h hostPort) check(what string) error {
	if h.Host == "" || h.Port < 1 || h.Port > 65535 {
		return fmt.Errorf("%s: want a host and a port from 1 to 65535, have %q and %d", what, h.Host, h.Port)
	}
	return nil
}

// at returns the address of an endpoint, the main one if the name is empty.
func (m member) at(endpoint string) (hostPort, bool) {
	if endpoint == "" {
		return m.service, m.service.Host != ""
	}
	hp, ok := m.additional[endpoint]
	return hp, ok
}

// weight is one line of a vector: it multiplies the weights of those it selects.
type weight struct {
	member string   // if not empty
	addr   hostPort // if it has a host
	shard  int      // if neither
	factor float64
}

// matches reports whether it is about the member's endpoint at hp.
func (w weight) matches(m member, hp hostPort) bool {
	switch {
	case w.member != "":
		return w.member == m.name
	case w.addr.Host != "":
		return w.addr == hp
	default:
		return m.shard >= 0 && w.shard == m.shard
	}
}

// parseVector reads the weights of a serverset. Lines that select in a way that is
// not known are for somebody else.
func parseVector(data []byte) ([]weight, error) {
	var j struct {
		Vector []struct {
			Select string   `json:"select"`
			Weight *float64 `json:"weight"`
		} `json:"vector"`
	}
	if err := json.Unmarshal(data, &j); err != nil {
		return nil, fmt.Errorf("want JSON of a serverset's weights: %w", err)
	}
	var list []weight
	for _, d := range j.Vector {
		w, ok := selector(d.Select)
		w.factor = 1
		if d.Weight != nil {
			w.factor = *d.Weight
		}
		if w.factor < 0 {
			return nil, fmt.Errorf("%s: want a weight of at least 0, have %v", d.Select, w.factor)
		}
		if ok {
			list = append(list, w)
		}
	}
	return list, nil
}

// selector reads inet=host:port, member=name or shard=number.
func selector(s string) (w weight, ok bool) {
	kind, which, _ := strings.Cut(s, "=")
	switch kind {
	case "inet":
		i := strings.LastIndexByte(which, ':')
		if i < 1 {
			return w, false
		}
		port, err := strconv.ParseUint(which[i+1:], 10, 16)
		w.addr = hostPort{strings.Trim(which[:i], "[]"), int(port)}
		return w, err == nil && w.addr.Host != ""
	case "member":
		w.member = which
		return w, which != ""
	case "shard":
		n, err := strconv.ParseUint(which, 10, 31)
		w.shard = int(n)
		return w, err == nil
	default:
		return w, false
	}
}

// serversetNode is a child of a serverset: a member, or weights.
type serversetNode struct {
	member *member
	vector []weight
}

func parseServersetNode(name string, data []byte) (serversetNode, error) {
	if strings.HasPrefix(name, vectorPrefix) {
		v, err := parseVector(data)
		return serversetNode{vector: v}, err
	}
	m, err := parseMember(name, data)
	return serversetNode{member: &m}, err
}

// serversetNodes picks them.
func serversetNodes(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool {
		return !strings.HasPrefix(n, memberPrefix) && !strings.HasPrefix(n, vectorPrefix)
	})
}
