// Package statsd sends a telemetry tree to a statsd over UDP, as Linkerd's io.l5d.statsd
// does: a share of the values of stats one by one, gauges every few seconds and, unlike
// the original, which sends a share of all single events, what counters have grown by,
// exactly.
//
// Requests never wait for it: what a request has to say finds room in a queue or is
// dropped and counted, and one goroutine resolves the name of the host and sends.
package statsd
