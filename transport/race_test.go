//go:build race

package transport_test

// raceEnabled skips allocation counts and costs, which the race detector changes.
const raceEnabled = true
