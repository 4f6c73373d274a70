package storetest

import "testing"

// Run checks everything, each matter in a subtest.
func (h Harness) Run(t *testing.T) {
	t.Helper()
	h = h.withDefaults()
	for _, test := range []struct {
		name string
		run  func(Harness, *testing.T)
	}{
		{"writes", Harness.writes},
		{"versions", Harness.versions},
		{"foreign versions", Harness.foreignVersions},
		{"names", Harness.names},
		{"values", Harness.values},
		{"large", Harness.large},
		{"history", Harness.history},
		{"long history", Harness.longHistory},
		{"observe", Harness.observe},
		{"burst", Harness.burst},
		{"wakeups", Harness.wakeups},
		{"many", Harness.many},
		{"come and go", Harness.comeAndGo},
		{"cancelled", Harness.cancelled},
		{"closing", Harness.closing},
		{"races", Harness.races},
		{"restart", Harness.restart},
		{"property", Harness.property},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(h, t) })
	}
	t.Run("concurrent", func(t *testing.T) { h.Concurrent(t, h.Load) })
}
