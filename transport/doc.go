// Package transport leads a request from its logical name to an endpoint, and
// keeps between requests what is worth keeping. It knows no protocol: adapters
// such as meshhttp and meshgrpc put it behind what their users know.
//
// A request takes these steps, of which all but the first use of a name are a few
// hundred nanoseconds and allocate nothing:
//
//	dest := router.Dest(path, local)          // the name: binding, retry budget, metrics
//	route, err := dest.Route(ctx)             // what it is bound to now
//	pick, err := route.Pick(ctx, weft.Call{}) // a branch by weight, an endpoint by load
//	…                                         // the attempt, over pick.Conn()
//	pick.Done(result)                         // balancer, breaker, requeue budget, metrics
//	dest.Done(result)                         // metrics of the name; the Dest is given back
//
// Route, Pick and what follows are repeated by retry.Do, with dest.Policy() and
// pick.Client.Retry(), so that a retry sees the name's newest binding.
//
// # What is kept
//
// A Dest per pair of logical name and per-request dtab, a Client per bound name,
// both in bounded caches. What is in use is never dropped; the rest goes when room
// is needed or when it has been idle for some time. Callers can invent any number
// of names: beyond the bounds, memory, goroutines and metrics do not grow, and
// names in regular use stay.
//
// Whoever drops something does not wait for those who use it, and does not fail
// them either: endpoints end with their last request, and a route to a client that
// is gone finds the next one.
package transport
