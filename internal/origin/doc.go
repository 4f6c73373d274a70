// Package origin is the server behind the proxy in acceptance tests, on net/http,
// so that weft's engines are tested against another one's. It speaks HTTP/1.1 and
// HTTP/2 on one port, in cleartext (prior knowledge) or with TLS (ALPN). Bodies are
// Patterns: every byte that is lost, added, changed or of another request is seen.
package origin
