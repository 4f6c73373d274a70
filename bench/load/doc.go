// Package load makes the load of a benchmark: closed loops with wrk, h2load and
// grpc-go, where a caller sends its next request when it has an answer; an open loop
// of its own, which sends at fixed times whatever the answers do; and idle connections.
//
// Closed loops say what a request costs. Their latencies say little: a caller that
// waits for a slow answer does not send the requests that would have been slow, too.
package load
