// Package http1 is an HTTP/1.1 engine (RFC 9110, RFC 9112) made for proxies: a
// Server that runs an http.Handler and a Transport that is an http.RoundTripper,
// both synchronous, so that one goroutine carries a request from the caller's
// connection to the endpoint's and back. It knows no mesh.
//
// Both sides share one codec. What parsers could disagree about is refused or, where
// there is one safe reading, brought into the form that everybody understands: the
// framing of a message is not in its http.Header but is written anew from what was
// read. Requests with both Content-Length and Transfer-Encoding are refused; responses
// with both are chunked, as the RFC has it, and their connection is not used again.
//
// The ResponseWriter of the Server implements what http.ResponseController looks for,
// io.ReaderFrom and HeaderAdopter. io.Copy from the body of a response of the Transport
// to it, and from the body of a request to the Transport's connection, lets the kernel
// move long bodies. A middleware that wraps either keeps that by implementing io.WriterTo
// or io.ReaderFrom with io.Copy of what it wraps.
package http1
