// Package streaming tests that bodies stream through weft: of any length in flat
// memory, in both directions at once, and past a reader that has stopped reading.
package streaming
