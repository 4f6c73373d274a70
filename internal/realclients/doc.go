// Package realclients has curl, wrk, h2load, Chromium, grpcurl and a WebSocket
// library talk through weft, as the people do who run it.
package realclients
