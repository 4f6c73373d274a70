package child

import "testing"

// Heavy skips a test under the race detector, which sees nothing of child processes
// and makes the ones who talk to them several times slower. `make test` runs these
// tests once more without it.
func Heavy(tb testing.TB) {
	tb.Helper()
	if raceEnabled {
		tb.Skip("it tests child processes: go test without -race, or make test")
	}
}
