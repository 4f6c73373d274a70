package k8s

import (
	"strconv"
	"strings"
	"time"
)

// PathType says how the path of a rule is meant.
type PathType string

// The path types of networking.k8s.io/v1. Rules of older APIs, which have none, and
// rules that leave it out are ImplementationSpecific.
const (
	Exact                  PathType = "Exact"
	Prefix                 PathType = "Prefix"
	ImplementationSpecific PathType = "ImplementationSpecific"
)

// Ingress is one Ingress object. It is immutable once published.
type Ingress struct {
	// Namespace and Name identify it.
	Namespace, Name string

	// Version is its resourceVersion, Created when it was made.
	Version string
	Created time.Time

	// ClassName is spec.ingressClassName. ClassAnnotation is the annotation
	// kubernetes.io/ingress.class, which came before it; HasClassAnnotation tells an
	// empty one from none.
	ClassName          string
	ClassAnnotation    string
	HasClassAnnotation bool

	// Annotations are all annotations but kubectl's copy of the object.
	Annotations map[string]string

	// DefaultBackend takes what no rule matches. Nil is none.
	DefaultBackend *Backend

	// Rules in the order of the object, one for each path of a host.
	Rules []Rule

	// TLS says which secret has the certificate of which hosts.
	TLS []IngressTLS
}

// Class returns the class that the object states: the annotation, or else
// spec.ingressClassName. Empty is none, for which the cluster's default class
// stands, if it has one.
func (i Ingress) Class() string {
	if i.HasClassAnnotation {
		return i.ClassAnnotation
	}
	return i.ClassName
}

// Rule sends the requests of one host and path to a backend.
type Rule struct {
	// Host is as in the object: empty for all hosts, possibly with a wildcard as its
	// first label.
	Host string

	// Path is as in the object; the empty one is every path.
	Path     string
	PathType PathType

	Backend Backend
}

// Backend is a port of a service, in the namespace of the ingress.
type Backend struct {
	// Namespace is that of the ingress.
	Namespace string
	Service   string

	// PortName is the name of the port; if it is empty PortNumber is its number.
	PortName   string
	PortNumber int32
}

// Port returns the name or the number of the port, as in paths.
func (b Backend) Port() string {
	if b.PortName != "" {
		return b.PortName
	}
	return strconv.Itoa(int(b.PortNumber))
}

// IngressTLS names the secret with the certificate of some hosts.
type IngressTLS struct {
	Hosts []string

	// Secret is in the namespace of the ingress. It may be empty.
	Secret string
}

// IngressClass is one IngressClass object.
type IngressClass struct {
	Name, Controller string

	// Default reports the annotation ingressclass.kubernetes.io/is-default-class.
	Default bool
}

// Table is all ingresses at one moment. It is immutable.
type Table struct {
	// Ingresses in the order in which the API server lists them, which is that of
	// namespace/name.
	Ingresses []Ingress

	// Classes are the classes of the cluster, sorted by name. There are none if the API
	// server does not know classes or forbids them.
	Classes []IngressClass
}

// String summarises the table.
func (t Table) String() string {
	return strconv.Itoa(len(t.Ingresses)) + " ingresses"
}

// DefaultClass returns the name of the class of ingresses that state none: the
// class that is marked so. If several are, the first one by name; if none is, "".
func (t Table) DefaultClass() string {
	for _, c := range t.Classes {
		if c.Default {
			return c.Name
		}
	}
	return ""
}

// compareKeys orders objects as the API server lists them.
func compareKeys(aNamespace, aName, bNamespace, bName string) int {
	return strings.Compare(aNamespace+"/"+aName, bNamespace+"/"+bName)
}
