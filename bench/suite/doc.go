// Package suite runs the measurements: it starts the contenders, loads one after the
// other while the rest are frozen, and writes what they used into a report.
package suite
