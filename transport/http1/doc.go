// Package http1 is an HTTP/1.1 engine (RFC 9110, RFC 9112) made for proxies: a
// Server that runs an http.Handler and a Transport that is an http.RoundTripper,
// both synchronous, so that one goroutine carries a request from the caller's
// connection to the endpoint's and back. It knows no mesh.
package http1
