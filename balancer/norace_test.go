//go:build !race

package balancer

// raceEnabled skips allocation counts, which the race detector changes.
const raceEnabled = false
