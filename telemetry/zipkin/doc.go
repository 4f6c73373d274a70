// Package zipkin delivers spans to a Zipkin collector, as Linkerd's io.l5d.zipkin does:
// in the JSON of Zipkin's API v2 over HTTP, which Zipkin, Jaeger and others take. The
// original spoke Scribe, which collectors have given up.
//
// Spans and their JSON are zipkin-go's. Its reporter is not used: the spans that it drops
// cannot be counted, it hands spans over in a way that waits, for ever once it is closed,
// and its end has no bound.
package zipkin
