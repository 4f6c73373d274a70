package k8s

import (
	"cmp"
	"errors"
	"log/slog"
	"regexp"
	"time"

	"github.com/weft-mesh/weft/naming/k8s"
)

// Config is where the dtabs are. The zero value is that of namerd 1.7.5: what kubectl
// proxy serves on this machine, namespace default.
type Config struct {
	// Host and Port are of a server that needs no credentials, such as kubectl proxy.
	// Empty and 0 are localhost and 8001.
	Host string
	Port int

	// Namespace is the namespace of the cluster in which the objects are. Empty is
	// default.
	Namespace string

	// Access says how to reach the API server instead of Host and Port: the zero Access
	// uses the account of the pod. Nil uses Host and Port.
	Access *k8s.Access
}

// Options are the settings of a Store that no configuration has. The zero value is the
// default.
type Options struct {
	// Client is used instead of one of its own. Who made it closes it, after the Store.
	// The Config then says the namespace only.
	Client *k8s.Client

	// Linger is how long dtabs stay watched that nobody observes any more. Zero is 5 s, a
	// negative value no time at all.
	Linger time.Duration

	// Patience is how long reads and writes try to reach the API server if their context
	// lets them. Zero is 10 s.
	Patience time.Duration

	// Logger is told, at level Warn, what is wrong with the server, the credentials and
	// the objects, once each. Nil is silent.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Patience <= 0 {
		o.Patience = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// label is the form of names of namespaces (RFC 1123).
var label = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// client returns the client to use, and how to let go of it.
func client(c Config, o Options) (*k8s.Client, func() error, error) {
	if o.Client != nil {
		return o.Client, func() error { return nil }, nil
	}
	access := k8s.Access{Host: cmp.Or(c.Host, "localhost"), Port: cmp.Or(c.Port, 8001)}
	if c.Access != nil {
		if c.Host != "" || c.Port != 0 {
			return nil, nil, errors.New("k8s: host and port say where the server is, and Access too: give one of them")
		}
		access = *c.Access
	}
	client, err := k8s.NewClient(access, k8s.Options{Linger: o.Linger, Logger: o.Logger})
	if err != nil {
		return nil, nil, err
	}
	return client, client.Close, nil
}
