// Package signals waits for very many channels with few goroutines. A mesh with ten
// thousand names follows several things for each of them, nearly all of which stand still:
// a goroutine for each would be most of its memory.
package signals
