// Package http1 is an HTTP/1.1 engine (RFC 9110, RFC 9112) made for proxies: a
// Server that runs an http.Handler and a Transport that is an http.RoundTripper,
// both synchronous, so that one goroutine carries a request from the caller's
// connection to the endpoint's and back. It knows no mesh, and nothing in it is
// global.
//
// # Serving
//
// NewServer takes the Handler and the limits in ServerOptions; Serve, Shutdown and Close
// are those of http.Server. The defaults are a proxy's: 4 KiB of request line, 8 KiB of
// header fields, no limit of bodies, a minute for a head to come, and connections that
// stay as long as the caller likes. TLS is the listener's business (tls.NewListener); the
// state of the connection is in the request.
//
// # Sending
//
// A Transport keeps a Pool of connections for each scheme and host. Who has the endpoint's
// address, as a balancer does, makes the Pool himself and tells it how to dial: the
// request's URL then says what is asked for and not where it goes. Pool.Send reports
// through an Exchange what a retry has to know: whether anything of the request can have
// been seen. A connection that died while it was idle is not among the errors, as long as
// the request can be sent again.
//
// # What is refused
//
// Both sides share one codec. What parsers could disagree about is refused or, where
// there is one safe reading, brought into the form that everybody understands: the
// framing of a message is not in its http.Header but is written anew from what was
// read. Requests with both Content-Length and Transfer-Encoding are refused; responses
// with both are chunked, as the RFC has it, and their connection is not used again.
// Refusals are *ProtocolErrors; from an endpoint, within a *ResponseError.
//
// # Recycle
//
// By default requests and responses are their owners' to keep, as with net/http. With
// ServerOptions.Recycle and PoolOptions.Recycle they are made of what earlier ones left,
// and cost next to no allocations. Whoever sets it promises:
//
//   - a Handler keeps nothing of the *http.Request, and not the ResponseWriter, after
//     ServeHTTP has returned, nor does any goroutine that it started. The request's
//     context ends with the connection and not with the request, so it is no sign that
//     the request is over, and is another connection's after that;
//   - who gets a response from a Pool closes its Body exactly once, also if it is empty,
//     and touches neither Body nor Header nor the *http.Response after that.
//
// Strings are never used again: names, values and URLs may be kept.
//
// # For proxies
//
// The ResponseWriter of the Server implements what http.ResponseController looks for,
// io.ReaderFrom, and HeaderAdopter, which takes the header of a response over instead of
// having it copied. Informational responses are written with WriteHeader, and come from
// Exchange.Informational. A handler may write before it has read, a caller that hangs up
// cancels the request's context within milliseconds, and a Pool whose request has that
// context hears of it without a goroutine. A short body of a request is Buffered, so that
// it leaves with the head and can be sent again.
//
// io.Copy from the body of a response of the Transport to the ResponseWriter, and from
// the body of a request to the Transport's connection, lets the kernel move long bodies.
// A middleware that wraps either keeps that by implementing io.WriterTo or io.ReaderFrom
// with io.Copy of what it wraps.
//
// ServerOptions.Preface hands connections that speak HTTP/2 to whoever does; upgrades and
// CONNECT are Hijack on one side, and a Body that is an io.ReadWriteCloser or Pool.Tunnel
// on the other.
package http1
