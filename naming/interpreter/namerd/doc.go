// Package namerd is the interpreter io.l5d.namerd: it asks a namerd in thrift over
// mux, with long polls, all on one connection, for the trees that names are bound
// to and the endpoints of the ids in them, and for explanations.
package namerd
