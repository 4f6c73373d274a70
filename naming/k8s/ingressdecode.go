package k8s

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"
)

// The annotations that have a meaning here.
const (
	classAnnotation   = "kubernetes.io/ingress.class"
	defaultAnnotation = "ingressclass.kubernetes.io/is-default-class"
	kubectlAnnotation = "kubectl.kubernetes.io/last-applied-configuration"
)

// everything is the group of kinds whose observers want all objects.
func everything[T any](object[T]) string { return "" }

func newIngressKind(c *Client) *kind[Ingress] {
	return newKind(c, kind[Ingress]{
		plural: "ingresses",
		apis:   []string{"/apis/networking.k8s.io/v1", "/apis/networking.k8s.io/v1beta1", "/apis/extensions/v1beta1"},
		decode: decodeIngress,
		group:  everything[Ingress],
	})
}

func newClasses(c *Client) *kind[IngressClass] {
	return newKind(c, kind[IngressClass]{
		plural: "ingressclasses",
		apis:   []string{"/apis/networking.k8s.io/v1", "/apis/networking.k8s.io/v1beta1"},
		decode: func(raw []byte) (object[IngressClass], error) {
			var w struct {
				Metadata metadata `json:"metadata"`
				Spec     struct {
					Controller string `json:"controller"`
				} `json:"spec"`
			}
			err := json.Unmarshal(raw, &w)
			return objectOf(w.Metadata, IngressClass{
				Name: w.Metadata.Name, Controller: w.Spec.Controller, Default: w.Metadata.Annotations[defaultAnnotation] == "true",
			}), err
		},
		group: everything[IngressClass],
	})
}

// wireIngress has the fields of networking.k8s.io/v1 and those that they were in
// the versions before.
type wireIngress struct {
	Metadata metadata `json:"metadata"`
	Spec     struct {
		IngressClassName string       `json:"ingressClassName"`
		DefaultBackend   *wireBackend `json:"defaultBackend"`
		Backend          *wireBackend `json:"backend"` // v1beta1
		TLS              []struct {
			Hosts      []string `json:"hosts"`
			SecretName string   `json:"secretName"`
		} `json:"tls"`
		Rules []struct {
			Host string `json:"host"`
			HTTP struct {
				Paths []struct {
					Path     string      `json:"path"`
					PathType PathType    `json:"pathType"`
					Backend  wireBackend `json:"backend"`
				} `json:"paths"`
			} `json:"http"`
		} `json:"rules"`
	} `json:"spec"`
}

type wireBackend struct {
	Service struct {
		Name string `json:"name"`
		Port struct {
			Name   string `json:"name"`
			Number int32  `json:"number"`
		} `json:"port"`
	} `json:"service"`
	ServiceName string    `json:"serviceName"` // v1beta1
	ServicePort intOrText `json:"servicePort"` // v1beta1
}

var errNoService = errors.New("the backend is not a port of a service")

func (w wireBackend) backend(namespace string) (Backend, error) {
	b := Backend{Namespace: namespace, Service: w.Service.Name, PortName: w.Service.Port.Name, PortNumber: w.Service.Port.Number}
	if b.Service == "" {
		b.Service, b.PortName, b.PortNumber = w.ServiceName, w.ServicePort.text, w.ServicePort.number
	}
	if b.Service == "" || b.PortName == "" && (b.PortNumber <= 0 || b.PortNumber > 65535) {
		return b, errNoService
	}
	return b, nil
}

func decodeIngress(raw []byte) (object[Ingress], error) {
	var w wireIngress
	if err := json.Unmarshal(raw, &w); err != nil {
		return object[Ingress]{}, err
	}
	m := w.Metadata
	if m.Namespace == "" {
		m.Namespace = "default"
	}
	i := Ingress{Namespace: m.Namespace, Name: m.Name, Version: m.ResourceVersion, ClassName: w.Spec.IngressClassName}
	i.ClassAnnotation, i.HasClassAnnotation = m.Annotations[classAnnotation]
	i.Annotations = m.Annotations
	maps.DeleteFunc(i.Annotations, func(k, _ string) bool { return k == kubectlAnnotation })
	if t, err := time.Parse(time.RFC3339, m.CreationTimestamp); err == nil {
		i.Created = t
	}
	var problems []string
	if d := w.Spec.DefaultBackend; d == nil {
		w.Spec.DefaultBackend = w.Spec.Backend
	}
	if d := w.Spec.DefaultBackend; d != nil {
		if b, err := d.backend(i.Namespace); err != nil {
			problems = append(problems, fmt.Sprintf("the default backend: %v", err))
		} else {
			i.DefaultBackend = &b
		}
	}
	for _, r := range w.Spec.Rules {
		for _, p := range r.HTTP.Paths {
			b, err := p.Backend.backend(i.Namespace)
			if err != nil {
				problems = append(problems, fmt.Sprintf("host %q, path %q: %v", r.Host, p.Path, err))
				continue
			}
			if p.PathType == "" {
				p.PathType = ImplementationSpecific
			}
			i.Rules = append(i.Rules, Rule{Host: r.Host, Path: p.Path, PathType: p.PathType, Backend: b})
		}
	}
	for _, t := range w.Spec.TLS {
		i.TLS = append(i.TLS, IngressTLS{Hosts: t.Hosts, Secret: t.SecretName})
	}
	o := objectOf(m, i)
	o.problems = problems
	return o, nil
}
