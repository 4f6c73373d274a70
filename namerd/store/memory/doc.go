// Package memory is io.l5d.inMemory: dtabs that live as long as the process.
//
//	store := memory.New(memory.Options{Namespaces: map[string]dtab.Dtab{"default": d}})
//
// Versions are 8 bytes, big-endian, that count the writes to a namespace from 1. The
// count goes on when a namespace is deleted and made again, so that a version that
// somebody still has does not match by chance. The last 100 changes of a namespace are
// its history, also when it is deleted; of the deleted ones the last 1000 are remembered.
package memory
