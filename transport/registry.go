package transport

import "sync"

// registry has one value per key for all that hold it at the same time, and
// drops it with the last of them. It exists for metrics: when a name is let go
// and comes back, the end of the old one must not take away the scope of the new
// one, so making and dropping happen under one lock. The zero registry is empty;
// it is safe for concurrent use.
type registry[K comparable, V any] struct {
	mu sync.Mutex
	m  map[K]*holding[V]
}

type holding[V any] struct {
	v V
	n int
}

// take returns the value of k, built if nobody holds it. build must not use the
// registry.
func (r *registry[K, V]) take(k K, build func() V) V {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.m[k]
	if h == nil {
		if r.m == nil {
			r.m = map[K]*holding[V]{}
		}
		h = &holding[V]{v: build()}
		r.m[k] = h
	}
	h.n++
	return h.v
}

// give ends one take; drop is called for the value that nobody holds any more.
func (r *registry[K, V]) give(k K, drop func(V)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.m[k]
	if h.n--; h.n == 0 {
		delete(r.m, k)
		drop(h.v)
	}
}

// each calls f for all values, which must not use the registry.
func (r *registry[K, V]) each(f func(V)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.m {
		f(h.v)
	}
}
