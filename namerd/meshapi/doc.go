// Package meshapi is namerd's interface io.l5d.mesh: the gRPC services of the
// package io.linkerd.mesh, which interpreters of kind io.l5d.mesh speak.
//
//	s := meshapi.New(n, meshapi.Options{})
//	go s.Serve(listener)
//	defer s.Close()
//
// Streams never end in order. Each holds the newest value that was not sent yet, so
// a reader that is slow skips values and holds up nobody.
//
// A client that sends the metadata key weft-revision is told with every tree where
// in the writes to the store it belongs; naming/interpreter/mesh uses that in order
// not to go back when it changes from one namerd to another.
package meshapi
