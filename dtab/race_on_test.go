//go:build race

package dtab_test

// raceEnabled says that allocation counts mean nothing.
const raceEnabled = true
