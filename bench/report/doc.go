// Package report keeps what a benchmark has measured and shows it: as JSON, which a
// later run can be compared with, as Markdown tables and as an SVG plot.
package report
