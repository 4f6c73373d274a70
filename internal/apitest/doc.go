// Package apitest has the API vectors of namerd's HTTP interface, which every store
// must pass: Run serves them from namerd/httpapi over real sockets.
//
//	func TestAPI(t *testing.T) {
//		apitest.Run(t, func(t *testing.T) namerd.Store { return memory.New(memory.Options{}) }, apitest.Options{Literal: true})
//	}
package apitest
