package consul

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
)

// instance is an instance of a service that can be sent requests.
type instance struct {
	host   string // an IP address, or a name to be resolved
	ip     netip.Addr
	port   uint16
	weight float64           // an Endpoint's
	meta   map[string]string // of the node
	about  map[string]string // of the service
}

// entry is an element of an answer, whichever API it came from.
type entry struct {
	// Of the catalog.
	Address        string
	ServiceID      string
	ServiceAddress string
	ServicePort    int
	ServiceTags    []string
	ServiceMeta    map[string]string
	NodeMeta       map[string]string
	ModifyIndex    uint64

	// Of the health API. Node is the name of the node in the catalog.
	Node    json.RawMessage
	Service *struct {
		ID          string
		Address     string
		Port        int
		Tags        []string
		Meta        map[string]string
		ModifyIndex uint64
	}
	Checks []check
}

type check struct{ CheckID, Status string }

// flatten puts what the health API says where the catalog has it.
func (e *entry) flatten() error {
	if e.Service == nil {
		return nil
	}
	var node struct {
		Address string
		Meta    map[string]string
	}
	if err := json.Unmarshal(e.Node, &node); err != nil {
		return err
	}
	s := e.Service
	e.Address, e.NodeMeta = node.Address, node.Meta
	e.ServiceID, e.ServiceAddress, e.ServicePort = s.ID, s.Address, s.Port
	e.ServiceTags, e.ServiceMeta, e.ModifyIndex = s.Tags, s.Meta, s.ModifyIndex
	return nil
}

// Consul puts nodes and services into maintenance by critical checks of these ids.
const (
	nodeMaintenance    = "_node_maintenance"
	serviceMaintenance = "_service_maintenance:"
)

// health returns the state of the worst check.
func (e *entry) health() HealthStatus {
	order := map[HealthStatus]int{Warning: 1, Critical: 2, Maintenance: 3}
	worst := Passing
	for _, c := range e.Checks {
		s := HealthStatus(c.Status)
		if c.CheckID == nodeMaintenance || strings.HasPrefix(c.CheckID, serviceMaintenance) {
			s = Maintenance
		}
		if order[s] > order[worst] {
			worst = s
		}
	}
	return worst
}

// reader reads the answers about one service.
type reader struct {
	n    *Namer
	key  service
	told map[string]uint64 // instances that were reported, and in which version
}

// errNoPort is why an instance cannot be sent requests, which is nothing to report.
var errNoPort = errors.New("no port")

// read returns the instances that can be sent requests.
func (r *reader) read(resp *http.Response) (list []instance, nothing bool, err error) {
	total, bad := 0, 0
	var first error // problem
	err = eachEntry(resp.Body, func(e entry, err error) {
		total++
		var i instance
		if err == nil {
			if err = e.flatten(); err == nil {
				if r.n.statuses != nil && !r.n.statuses[e.health()] {
					return
				}
				i, err = r.n.instance(e)
			}
		}
		switch {
		case err == nil:
			list = append(list, i)
		case !errors.Is(err, errNoPort):
			bad++
			if first == nil {
				first = err
			}
			r.report(e, err)
		}
	})
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", errGarbled, err)
	}
	if total == 0 && resp.Header.Get("X-Consul-Results-Filtered-By-ACLs") == "true" {
		return nil, false, ErrFiltered
	}
	if len(list) == 0 && bad > 0 {
		return nil, false, fmt.Errorf("%w: all %d instances left out, the first one for %w", errRejected, bad, first)
	}
	return list, len(list) == 0, nil
}

// eachEntry calls f for every element of a list, which need not be what it should.
func eachEntry(body io.Reader, f func(entry, error)) error {
	dec := json.NewDecoder(body)
	t, err := dec.Token()
	if err != nil || t == nil { // null is an empty list
		return err
	}
	if t != json.Delim('[') {
		return fmt.Errorf("%v: want a list", t)
	}
	for dec.More() {
		var e entry
		err := dec.Decode(&e)
		if _, wrongType := errors.AsType[*json.UnmarshalTypeError](err); err != nil && !wrongType {
			return err
		}
		f(e, err)
	}
	_, err = dec.Token()
	return err
}

// instance returns the instance of an entry, or why it cannot be one.
func (n *Namer) instance(e entry) (instance, error) {
	host := e.Address
	if prefer := n.cfg.PreferServiceAddress; e.ServiceAddress != "" && (prefer == nil || *prefer) {
		host = e.ServiceAddress
	}
	if e.ServicePort == 0 {
		return instance{}, errNoPort
	}
	if e.ServicePort < 0 || e.ServicePort > 65535 {
		return instance{}, fmt.Errorf("port %d: want 1 to 65535", e.ServicePort)
	}
	i := instance{host: host, port: uint16(e.ServicePort), weight: n.weight(e.ServiceTags)}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil:
		i.ip = ip.Unmap()
	case !isHostName(host):
		return instance{}, fmt.Errorf("address %q: want an IP address or the name of a host", host)
	case n.opts.Resolve == nil:
		return instance{}, fmt.Errorf("address %q: want an IP address, as there is nothing to resolve names with", host)
	}
	if n.cfg.TransferMetadata {
		i.meta, i.about = e.NodeMeta, e.ServiceMeta
	}
	return i, nil
}

// weight returns the largest weight of the tags.
func (n *Namer) weight(tags []string) float64 {
	weight, found := 0.0, false
	for _, t := range tags {
		if w, ok := n.weights[t]; ok {
			weight, found = max(weight, w), true
		}
	}
	switch {
	case !found || weight == 1:
		return 0 // an Endpoint's way to say 1
	case weight == 0:
		return -1 // and 0
	}
	return weight
}

func isHostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_') {
			return false
		}
	}
	return true
}

// report tells of an instance that is left out, once for each version of it.
func (r *reader) report(e entry, why error) {
	version, told := r.told[e.ServiceID]
	if told && version == e.ModifyIndex {
		return
	}
	if len(r.told) >= maxTold {
		clear(r.told)
	}
	r.told[e.ServiceID] = e.ModifyIndex
	r.n.skipped.Add(1)
	r.n.opts.Logger.Warn("consul: instance left out", "service", r.key.String(), "node", string(e.Node), "id", e.ServiceID, "err", why)
}

// maxTold bounds what is remembered of reports.
const maxTold = 1000
