// Package testtool gets the programs that acceptance tests run: real clients and
// conformance suites. Go programs are built from the module proxy, each from a
// directory here that has a go.mod and go.sum of its own, so that the product's
// module does not depend on them; others are found in PATH, where CI puts them with
// apt-get. What was built is kept in $WEFT_TEST_CACHE, by default
// ~/.cache/weft-test, and is shared by every test of the machine.
//
// A test whose program cannot be had is skipped, and fails instead if CI=true or
// WEFT_REAL=1 is set: a suite that silently tests nothing is worse than none.
package testtool
