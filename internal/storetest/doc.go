// Package storetest is the contract of namerd.Store as tests. A store's own tests
// say how to reach it and what it cannot do:
//
//	storetest.Harness{Open: func(t *testing.T) namerd.Store { … }}.Run(t)
//
// and beside that test what is special about it.
package storetest
