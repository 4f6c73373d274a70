//go:build race

package meshh2_test

// raceEnabled skips allocation counts, which the race detector changes.
const raceEnabled = true
