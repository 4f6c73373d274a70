// Package metricsdoc reads docs/metrics.md for the tests that compare it with what a proxy
// and a namerd measure, and says of a Prometheus page which of its families nobody has
// described. It is for tests only.
package metricsdoc
