package k8s

import "encoding/json"

func newEndpoints(c *Client) *kind[slice] {
	return newKind(c, kind[slice]{
		plural: "endpoints",
		apis:   []string{"/api/v1"},
		decode: decodeEndpoints,
		group:  func(o object[slice]) string { return o.key.name },
	})
}

type wireEndpoints struct {
	Metadata metadata `json:"metadata"`
	Subsets  []struct {
		Addresses []struct {
			IP        string  `json:"ip"`
			NodeName  string  `json:"nodeName"`
			TargetRef wireRef `json:"targetRef"`
		} `json:"addresses"`
		Ports []wirePort `json:"ports"`
	} `json:"subsets"`
}

// decodeEndpoints reads an Endpoints object. Its subsets are joined as the original
// does: all addresses have all ports, and of two ports with one name the last one
// counts.
func decodeEndpoints(raw []byte) (object[slice], error) {
	var w wireEndpoints
	if err := json.Unmarshal(raw, &w); err != nil {
		return object[slice]{}, err
	}
	o := objectOf(w.Metadata, slice{service: w.Metadata.Name, labels: w.Metadata.Labels})
	metas := metaTable{}
	at := map[string]int{}
	for _, s := range w.Subsets {
		for _, a := range s.Addresses {
			e := slot{uid: a.TargetRef.UID, meta: metas.of(placement{node: a.NodeName})}
			if err := e.setAddress(a.IP, false); err != nil {
				o.problems = append(o.problems, err.Error())
				continue
			}
			o.v.endpoints = append(o.v.endpoints, e)
		}
		for _, p := range tcpPorts(s.Ports) {
			if i, ok := at[p.name]; ok {
				o.v.ports[i] = p
				continue
			}
			at[p.name] = len(o.v.ports)
			o.v.ports = append(o.v.ports, p)
		}
	}
	return o, nil
}
