package k8s

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// service is a Service object.
type service struct {
	labels    map[string]string
	ports     []servicePort
	balancers []slot // of its load balancer
}

// servicePort is a TCP port of a service. Its target is a number, or else a name.
type servicePort struct {
	name         string
	number       int32
	targetNumber int32
	targetName   string
}

func newServices(c *Client) *kind[service] {
	return newKind(c, kind[service]{
		plural: "services",
		apis:   []string{"/api/v1"},
		decode: decodeService,
		group:  func(o object[service]) string { return o.key.name },
	})
}

type wireService struct {
	Metadata metadata `json:"metadata"`
	Spec     struct {
		Ports []struct {
			Name       string    `json:"name"`
			Port       int32     `json:"port"`
			Protocol   string    `json:"protocol"`
			TargetPort intOrText `json:"targetPort"`
		} `json:"ports"`
	} `json:"spec"`
	Status struct {
		LoadBalancer struct {
			Ingress []struct {
				IP       string `json:"ip"`
				Hostname string `json:"hostname"`
			} `json:"ingress"`
		} `json:"loadBalancer"`
	} `json:"status"`
}

// intOrText is the API's IntOrString.
type intOrText struct {
	number int32
	text   string
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *intOrText) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		if err := json.Unmarshal(raw, &v.text); err != nil {
			return err
		}
		// Tools write numbers as text, too.
		if n, err := strconv.ParseInt(v.text, 10, 32); err == nil {
			v.number, v.text = int32(n), ""
		}
		return nil
	}
	return json.Unmarshal(raw, &v.number)
}

func decodeService(raw []byte) (object[service], error) {
	var w wireService
	if err := json.Unmarshal(raw, &w); err != nil {
		return object[service]{}, err
	}
	o := objectOf(w.Metadata, service{labels: w.Metadata.Labels})
	for _, p := range w.Spec.Ports {
		if p.Protocol != "" && !strings.EqualFold(p.Protocol, "TCP") {
			continue
		}
		q := servicePort{name: p.Name, number: p.Port, targetNumber: p.TargetPort.number, targetName: p.TargetPort.text}
		if q.targetNumber == 0 && q.targetName == "" {
			q.targetNumber = p.Port
		}
		if q.number <= 0 || q.number > 65535 || q.targetNumber < 0 || q.targetNumber > 65535 {
			o.problems = append(o.problems, fmt.Sprintf("port %d with target %d is none", q.number, q.targetNumber))
			continue
		}
		o.v.ports = append(o.v.ports, q)
	}
	for _, i := range w.Status.LoadBalancer.Ingress {
		var s slot
		if i.Hostname != "" {
			i.IP = i.Hostname
		}
		if err := s.setAddress(i.IP, i.Hostname != ""); err != nil {
			o.problems = append(o.problems, err.Error())
			continue
		}
		o.v.balancers = append(o.v.balancers, s)
	}
	return o, nil
}

// port returns the port with that name or, if it is a number, with that number.
func (s service) port(name string, number int32) (servicePort, bool) {
	for _, p := range s.ports {
		if number > 0 && p.number == number || number <= 0 && p.name == name {
			return p, true
		}
	}
	return servicePort{}, false
}
