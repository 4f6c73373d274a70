// Package balancer chooses one endpoint of a set for each request.
//
// A Balancer owns the Endpoint handles of one set. A handle carries what has
// been learned about one address (outstanding work, latency estimate, status and
// whatever the owner attaches to it) and outlives every change of the set that
// keeps the address. A Policy builds a Picker from the handles whenever the set
// changes; the Picker compares them:
//
//	P2C         two random endpoints, the one with less outstanding work (default)
//	EWMA        two random endpoints, the one with the lower peak-EWMA latency cost
//	Aperture    P2C or EWMA inside a window, so that few connections are needed
//	Heap        the endpoint with the least outstanding work of all
//	RoundRobin  one after the other
//
// The endpoint measures, the policy compares, the owner decides about health:
// breakers call Endpoint.SetStatus, and an endpoint that is not Open is chosen
// only when nothing better was found, subject to Options.OnAllUnhealthy.
//
// # Weights
//
// A policy that does not look at weights is run once per distinct weight. A
// class is drawn with probability proportional to weight × size, from an alias
// table, and the policy then chooses inside it. The shares of traffic are exact
// whatever the loads are, the cost does not depend on the number of endpoints,
// and every policy, including one of the caller's own, honours weights without
// knowing of them. Comparing load/weight inside P2C gives neither: a light
// endpoint has no outstanding work most of the time and then looks better, or
// (with load+1) worse, than its share. The price is that load does not move
// traffic between classes; with many distinct weights, use Aperture, which
// samples by weight and compares load/weight.
//
// An endpoint whose share is 0 takes no traffic, unless that holds for all, in
// which case they share it evenly.
//
// # Cost
//
// Pick and Done together allocate nothing and take, reading the clock included
// (once, twice with EWMA), ns of CPU time on a shared 2-core virtual machine:
//
//	endpoints        2     10    100   1000
//	P2C             72     64     71     68
//	EWMA           148    134    134    142
//	Aperture        66     67     68     75
//	RoundRobin      56     54     54     54
//	Heap           122    154    226    316
//
// Picks share nothing but the counters of the endpoint they chose, and the common
// state that RoundRobin and Heap need.
//
// The algorithms and their constants are those of Finagle's load balancers,
// with the differences stated at each policy.
package balancer
