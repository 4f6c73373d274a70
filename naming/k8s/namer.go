package k8s

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Namer answers for services. It is safe for concurrent use. Close it.
type Namer struct {
	prefix    dtab.Path
	namespace string // of all names; empty if names have one
	label     string // whose value names have; empty if they have none
	external  bool

	resolve Resolve
	client  *Client
	release func() error
	sets    *naming.Shared[name, weft.EndpointSet]
}

// name is what one watch is about. All of it but the label of an external name is in
// lower case.
type name struct {
	namespace, service, port string
	label                    string
}

// String names the service, for the status of the watch.
func (n name) String() string {
	text := fmt.Sprintf("service %s/%s port %s", n.namespace, n.service, n.port)
	if n.label != "" {
		text += " label " + n.label
	}
	return text
}

// New returns the namer io.l5d.k8s, of the services of all namespaces. It asks for
// nothing before the first Lookup.
func New(c Config, o Options) (*Namer, error) { return newNamer(c, o, "io.l5d.k8s", Namer{}) }

// NewNamespaced returns the namer io.l5d.k8s.ns, of the services of the namespace
// that the environment names. It is an error if the environment does not.
func NewNamespaced(c Config, o Options) (*Namer, error) {
	if c.EnvVar == "" {
		c.EnvVar = "POD_NAMESPACE"
	}
	getenv := o.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	namespace := getenv(c.EnvVar)
	switch {
	case namespace == "":
		return nil, fmt.Errorf("k8s: envVar: the environment variable %s must hold the namespace, and is not set", c.EnvVar)
	case !isNamespace(namespace):
		return nil, fmt.Errorf("k8s: envVar: %s is %q, which is not the name of a namespace", c.EnvVar, namespace)
	}
	return newNamer(c, o, "io.l5d.k8s.ns", Namer{namespace: namespace})
}

// NewExternal returns the namer io.l5d.k8s.external, of the load balancers of
// services. It asks for nothing before the first Lookup.
func NewExternal(c Config, o Options) (*Namer, error) {
	return newNamer(c, o, "io.l5d.k8s.external", Namer{external: true})
}

func newNamer(c Config, o Options, kind string, n Namer) (*Namer, error) {
	client, release, err := clientOf(c.Access, o)
	if err != nil {
		return nil, err
	}
	n.prefix, n.label, n.resolve, n.client, n.release = c.Prefix, c.LabelSelector, o.Resolve, client, release
	if n.prefix.IsEmpty() {
		n.prefix = dtab.MustPath("/#/" + kind)
	}
	watch := n.followSlices
	if n.external {
		watch = n.followBalancer
	}
	n.sets = naming.NewShared(naming.FollowFunc[name, weft.EndpointSet](watch), naming.SharedOptions{Linger: o.Linger, Logger: o.Logger})
	return &n, nil
}

// Prefix returns the whole prefix of the namer's names.
func (n *Namer) Prefix() dtab.Path { return n.prefix }

// Close ends the watches and waits for them. What has been handed out stands still.
func (n *Namer) Close() error { return errors.Join(n.sets.Close(), n.release()) }

// Lookup implements naming.Namer.
func (n *Namer) Lookup(ctx context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	elems := p.Strings()
	used := 3
	if n.namespace != "" {
		used--
	}
	if n.label != "" {
		used++
	}
	if len(elems) < used {
		return naming.NoSuchName()
	}
	id, err := n.id(p.Take(used), elems[:used])
	if err != nil {
		return naming.AnswerErr(err)
	}
	key := name{namespace: n.namespace}
	if n.label != "" {
		if key.label = elems[used-1]; !n.external {
			key.label = strings.ToLower(key.label)
		}
		elems = elems[:used-1]
	}
	if n.namespace == "" {
		key.namespace, elems = strings.ToLower(elems[0]), elems[1:]
	}
	key.port, key.service = strings.ToLower(elems[0]), strings.ToLower(elems[1])
	if !isNamespace(key.namespace) {
		return naming.NoSuchName()
	}
	return naming.LeafWhilePresent(ctx, id, p.Drop(used), func(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] {
		return n.sets.Observe(ctx, key)
	})
}

// id returns the id of a name: as written for load balancers, otherwise in lower
// case.
func (n *Namer) id(p dtab.Path, elems []string) (dtab.Path, error) {
	if n.external {
		return n.prefix.Concat(p), nil
	}
	lower := make([]string, len(elems))
	for i, e := range elems {
		lower[i] = strings.ToLower(e)
	}
	id, err := n.prefix.Append(lower...)
	if err != nil {
		return id, fmt.Errorf("k8s: %s: %w", p, err)
	}
	return id, nil
}

// isNamespace reports whether there may be such a namespace (RFC 1123): the name
// goes into the path of requests.
func isNamespace(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-'
}

// portNumber returns the number that the port of a name is, 0 if it is a name. What
// cannot be a port's number is -1.
func (n name) portNumber() int32 {
	v, err := strconv.Atoi(n.port)
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		return 0
	case err != nil, v <= 0, v > 65535:
		return -1
	default:
		return int32(v)
	}
}
