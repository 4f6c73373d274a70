package k8s

import (
	"context"
	"time"

	"github.com/weft-mesh/weft/naming"
)

// lingerNamespace is how long the objects of a namespace are watched after the last
// of its services was.
const lingerNamespace = 30 * time.Second

// kind is one kind of objects and the watches of it, one for each scope.
type kind[T any] struct {
	*naming.Shared[scope, view[T]]
	c *Client

	// plural is what paths call it, after one of the APIs that have it, best first.
	plural string
	apis   []string

	// decode reads an object, group says which observers it concerns.
	decode func(raw []byte) (object[T], error)
	group  func(object[T]) string
}

// scope is what one watch is of: a kind in a namespace (or in all), or one object.
type scope struct{ plural, namespace, name string }

// String names the scope, for the status of the watch.
func (s scope) String() string {
	text := "k8s " + s.plural
	if s.name != "" {
		text += " " + s.name
	}
	if s.namespace != "" {
		text += " in " + s.namespace
	}
	return text
}

func newKind[T any](c *Client, k kind[T]) *kind[T] {
	k.c = c
	k.Shared = naming.NewShared(naming.WatchFunc[scope, view[T]](k.watch), naming.SharedOptions{
		Linger: c.opts.linger(lingerNamespace), Logger: c.opts.Logger,
	})
	return &k
}

// watch keeps a store up to date. It reports the store, which changes by itself,
// whenever it knows it to be as the server has it.
func (k *kind[T]) watch(ctx context.Context, s scope, set func(naming.State[view[T]])) error {
	v := view[T]{id: k.c.stores.Add(1), store: newStore(k.group)}
	r := &reflector[T]{
		kind: k, scope: s, store: v.store, version: "0",
		good:   func(version string) { set(naming.Ok(v).At(version)) },
		failed: func(err error) { set(naming.Failed[view[T]](err)) },
	}
	r.run(ctx)
	return nil
}

// in returns the scope of all objects of a namespace, or of one.
func (k *kind[T]) in(namespace, name string) scope {
	return scope{plural: k.plural, namespace: namespace, name: name}
}
