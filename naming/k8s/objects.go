package k8s

import (
	"context"
	"encoding/json"
)

// Resource is a kind of objects that this package does not know of, such as a custom
// resource, for Follow.
type Resource[T any] struct {
	// API is the path of the API that has it, such as /apis/example.com/v1, and Plural
	// what paths call the objects.
	API, Plural string

	// Decode reads what matters of an object from its JSON. It must not keep raw. An object
	// that it refuses is reported to the log and stays as it was, or away.
	Decode func(raw []byte) (T, error)
}

// Object is one object of the API server.
type Object[T any] struct {
	Name, Version string // Version is the resourceVersion
	Value         T
}

// Follow reports the objects of a namespace, in the order of their names, whenever it
// knows them to be as the API server has them: at first, after every change, and now
// and then in between. Version is that of the whole. It returns when ctx ends and
// retries until then, with the back-off of the Client's Options; failed is told what
// keeps it from knowing more, once for each kind of trouble, and a report takes that
// back. It begins with what the server has and not with what it remembers, so that it
// does not go back behind what was seen before.
//
// The slice is the receiver's. No two reports are made at the same time.
func Follow[T any](
	ctx context.Context, c *Client, r Resource[T], namespace string, report func(all []Object[T], version string), failed func(error),
) {
	k := &kind[T]{
		c: c, plural: r.Plural, apis: []string{r.API},
		decode: func(raw []byte) (object[T], error) {
			var w struct {
				Metadata metadata `json:"metadata"`
			}
			if err := json.Unmarshal(raw, &w); err != nil {
				return object[T]{}, err
			}
			v, err := r.Decode(raw)
			return objectOf(w.Metadata, v), err
		},
		group: func(object[T]) string { return "" },
	}
	objects := newStore(k.group)
	follower := &reflector[T]{kind: k, scope: k.in(namespace, ""), store: objects, failed: failed, good: func(version string) {
		objects.mu.Lock()
		members := objects.members("")
		objects.mu.Unlock()
		all := make([]Object[T], len(members))
		for i, o := range members {
			all[i] = Object[T]{Name: o.key.name, Version: o.version, Value: o.v}
		}
		report(all, version)
	}}
	follower.run(ctx)
}
