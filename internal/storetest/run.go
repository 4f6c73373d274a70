package storetest

import "testing"

// Run checks everything, each matter in a subtest.
func (h Harness) Run(t *testing.T) {
	h = h.withDefaults()
	for _, test := range []struct {
		name string
		run  func(Harness, *testing.T)
	}{
		{"writes", Harness.writes},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(h, t) })
	}
	t.Run("concurrent", func(t *testing.T) { h.Concurrent(t, h.Load) })
}
