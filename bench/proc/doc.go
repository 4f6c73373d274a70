// Package proc starts the processes of a benchmark, stops and continues them, and
// reads what they have used from /proc. Linux only.
package proc
