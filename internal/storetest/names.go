package storetest

import (
	"crypto/rand"
	"strings"
	"testing"
)

// newNamespace returns a name that no other test uses.
func newNamespace(t *testing.T) string {
	t.Helper()
	return "t" + strings.ToLower(rand.Text())[:16]
}
