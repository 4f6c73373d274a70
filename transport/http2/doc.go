// Package http2 is an HTTP/2 engine (RFC 9113) made for proxies: connections whose
// streams are state machines driven by events, so that a relayed stream costs no
// goroutine, and beside them a Server that runs an http.Handler and a Transport
// that is an http.RoundTripper over the same connections. It knows no mesh.
package http2
