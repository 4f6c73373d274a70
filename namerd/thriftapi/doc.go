// Package thriftapi is namerd's interface io.l5d.thriftNameInterpreter: the thrift
// service Namer over mux, which interpreters of kind io.l5d.namerd speak.
//
//	s := thriftapi.New(n, thriftapi.Options{})
//	go s.Serve(listener)
//	defer s.Close()
//
// Clients poll: a request with the stamp of the answer before is held until there
// is something new. Clients of plain framed thrift, Finagle's with its tracing
// header too, are recognised by their first bytes.
package thriftapi
