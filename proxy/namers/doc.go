// Package namers makes the namers that a configuration lists, for a proxy or a
// namerd: with their transformers, what they share, the names under /$ and the
// status of what they watch.
package namers
