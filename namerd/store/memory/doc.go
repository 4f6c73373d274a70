// Package memory is io.l5d.inMemory: dtabs that live as long as the process.
//
// Versions are 8 bytes, big-endian, that count the writes to a namespace from 1. The
// count goes on when a namespace is deleted and made again, so that a version that
// somebody still has does not match by chance.
package memory
