// Package destpb is the gRPC package io.linkerd.proxy.destination with its
// addresses, io.linkerd.proxy.net, as Linkerd 1.7.5 has them.
package destpb

// protoc is 3.21 or later; the plug-ins are protoc-gen-go v1.36.12 and
// protoc-gen-go-grpc v1.6.1. The names of the files are those from the root of the
// module, since a program may have only one file of a name.
//
//go:generate sh -c "cd ../../.. && protoc --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative namerd/destination/destpb/*.proto"
