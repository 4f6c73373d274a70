// Package meshpb is the gRPC package io.linkerd.mesh: the messages and services
// that a namerd speaks with interpreters of kind io.l5d.mesh, and their conversion
// to and from what they stand for.
//
// The original writes scalars even if they are zero, and its client takes a scalar
// that is absent for one that is not set: it drops endpoints and weighted branches
// that lack one. So those scalars are optional here, what is converted to messages
// has all of them, and what is read may lack any.
package meshpb

// protoc is 3.21 or later; the plug-ins are protoc-gen-go v1.36.12 and
// protoc-gen-go-grpc v1.6.1. The names of the files are those from the root of the
// module, since a program may have only one file of a name.
//
//go:generate sh -c "cd ../../../.. && protoc --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative naming/interpreter/mesh/meshpb/*.proto"
