// Package meshhttp puts the mesh behind net/http.
//
// Transport is an http.RoundTripper: it identifies the logical name in a request,
// lets a transport.Router bind it and pick an endpoint, sends the request,
// classifies the response and retries within a budget. Handler puts a Transport
// behind a listener, which is the reference proxy; Middleware lets an application
// inherit the context of the request it serves, so that the calls it makes
// through a Transport carry the trace, the deadline and the dtab override onward.
//
// An in-process client and a request that goes through the proxy take the same
// path through the same code. The headers, statuses and error texts are those of
// Linkerd 1.7.5.
package meshhttp
