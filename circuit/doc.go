// Package circuit decides when to leave something alone that keeps failing.
//
// A Breaker watches the outcomes of one endpoint's requests and takes the
// endpoint out for a while when its Accrual says so; then one request probes it.
// FailFast does the same for failures to connect, and probes on its own. Both
// only advise: they have a weft.Status that the balancer prefers endpoints by, and
// a request that arrives anyway is not refused by a Breaker. A Group keeps the
// breakers of a cluster from taking out too large a share of it. Nack throttles
// what is sent to a cluster that refuses most of it.
//
// The state machine and the policies are those of Finagle's failure accrual;
// where this package differs, the name concerned says so.
package circuit
