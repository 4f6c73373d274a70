// Package namerthrift is the thrift service Namer, which a namerd speaks with
// interpreters of kind io.l5d.namerd: its structs, their binary form in both
// directions, and their conversion to and from what they stand for.
//
// The codec is written by hand, since what the thrift compiler makes of the
// interface is ten times as long: every struct says once, in visit, which field has
// which number, for reading and for writing.
package namerthrift
