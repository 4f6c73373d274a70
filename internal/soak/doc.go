// Package soak is what the soak test and its upstreams share: a gRPC service whose
// messages are bytes. The test itself runs mixed load through weft while upstreams
// are killed, paused and taken out; WEFT_SOAK=10m makes it last that long.
package soak
