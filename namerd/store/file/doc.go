// Package file is the embedded store: dtabs in one file of this machine, used by one
// process at a time.
//
//	store, err := file.Open("/var/lib/weft/namerd.db", file.Options{})
//
// A write is acknowledged when the disk has it, and seen by nobody before that. Writes that
// come while the disk is busy are made together, so that many writers share its time.
//
// Versions are those of namerd/store/memory: 8 bytes, big-endian, that count the
// writes to a namespace from 1. The count goes on when a namespace is deleted and made
// again, so that a version that somebody still has does not match by chance. The last
// 100 changes of a namespace are its history, also when it is deleted; of the deleted
// ones the last 1000 are remembered.
//
// Dtabs are kept as text, in which weights have two decimals.
//
// The file is one of go.etcd.io/bbolt. It has the buckets weft (what the file is, and
// its counters), live and dead (a record of each namespace that exists, and of those
// that were deleted), graves (the order in which those were deleted), and history (a
// bucket of changes, as JSON, for each namespace).
package file
