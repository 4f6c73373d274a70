package balancer

import "github.com/weft-mesh/weft"

// Policy is a way of choosing. It is called when the set of endpoints changes and
// must not change itself: a Policy is configuration, which any number of
// balancers may share. What has to survive a rebuild is taken over from
// Set.Prev.
//
// A change of nothing but an endpoint's Meta builds no new picker: what depends on
// Meta is read in Pick. A policy may build on another one, as with
// P2C{}.Build(Set{Endpoints: near, Rand: s.Rand}); it then sees to it that the
// endpoints it passes on are not none.
//
// Build runs under the balancer's lock and must not call the balancer.
type Policy interface {
	Build(s Set) Picker
}

// Picker chooses an endpoint. It must return one of the endpoints it was built
// from; nil stands for having found none. Pick is called concurrently, up to
// MaxEffort times per request, and must neither block nor allocate. now is the
// monotonic time in nanoseconds since the balancer was made.
//
// Pickers look at Endpoint.Status themselves, healthier before less loaded. They
// need not look at Call.Avoid: if the endpoint to avoid comes back, the balancer
// asks again, and at last searches for another one.
type Picker interface {
	Pick(c weft.Call, now int64) *Endpoint
}

// Set is what a Policy builds from.
type Set struct {
	// Endpoints are never empty and all have the same share, unless the policy is
	// WeightAware. The slice belongs to the picker.
	Endpoints []*Endpoint

	// Prev is the picker that the new one replaces, nil if there is none. It may
	// still be in use while the new one is built and for a moment after.
	Prev Picker

	// Rand is the source of random numbers to use.
	Rand Rand

	// Rebuild asks the balancer to call Build again soon. It may be called from
	// Pick.
	Rebuild func()
}

// Observer is implemented by pickers that want to know how each request ended.
// The endpoint's Pending no longer includes the request. r.Latency is always
// set. Observe is called concurrently and must be quick.
type Observer interface {
	Observe(e *Endpoint, r weft.Result, now int64)
}

// Loader is implemented by pickers that have a notion of load other than
// Endpoint.Pending. Stats uses it.
type Loader interface {
	Load(e *Endpoint, now int64) float64
}

// StatusAware is implemented by policies whose pickers arrange endpoints by
// status. They are rebuilt when a status changes.
type StatusAware interface {
	RebuildOnStatus() bool
}

// WeightAware is implemented by policies that honour Endpoint.Info().Share()
// themselves. They are built once, from all endpoints that have a share.
type WeightAware interface {
	HonoursWeights() bool
}

// exhaustive is implemented by pickers that may know that asking again is
// pointless, because they have looked at every endpoint.
type exhaustive interface {
	exhaustive() bool
}
