// Package memhttp is a network in memory for tests: connections with buffers,
// deadlines and half-close, listeners by address, and what it takes to run
// net/http over them.
//
// Nothing in it waits for the outside world, so that everything that happens over
// it can be inside a synctest bubble, where time stands still until all goroutines
// wait.
package memhttp
