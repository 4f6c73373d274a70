// Package file is the embedded store: dtabs in one file of this machine, used by one
// process at a time. A write is acknowledged when the disk has it.
//
// Versions are those of namerd/store/memory: 8 bytes, big-endian, that count the
// writes to a namespace, beyond its deletion.
package file
