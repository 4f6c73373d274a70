// Package conformance runs other people's conformance suites against weft: h2spec
// on its HTTP/2 engine and through its h2 router, and gRPC's interoperability tests
// through one proxy and through two.
package conformance
