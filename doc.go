// Package weft holds the words that every package of the mesh shares: what an
// endpoint is, what a call tells the balancer, how an outcome is classified,
// what an error says about where it happened, and how a value that changes is
// read.
//
// It has no goroutines and does no I/O, and depends on the standard library and
// package dtab only, so that anything may import it. The behaviour lives in the
// packages above: naming turns names into endpoint sets, balancer picks one of
// them, circuit and retry decide what failures mean, transport joins these into
// one request path, and transport/meshhttp and transport/meshgrpc put that path
// behind http.Client and grpc.ClientConn.
package weft
