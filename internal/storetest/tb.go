package storetest

import "context"

// tb is what *testing.T and *rapid.T have in common and the tests need.
type tb interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	FailNow()
}
