package file_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is also the program of the child of TestKill.
func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		os.Exit(child(path))
	}
	goleak.VerifyTestMain(m)
}
