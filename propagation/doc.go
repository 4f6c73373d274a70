// Package propagation carries what travels with a request from hop to hop: the
// deadline, the per-request dtab and the trace. In a process they live in
// context.Context, so that a call made while serving a request inherits them;
// between processes they are the l5d-ctx-* headers of Linkerd 1.x (or X-B3-* for
// traces), which this package reads and writes.
//
// It knows headers as a Carrier only, so that HTTP headers and gRPC metadata are
// one case.
package propagation
