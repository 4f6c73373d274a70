package prom

import "github.com/weft-mesh/weft/telemetry"

// quantile is one of a summary.
type quantile struct {
	text      string // as the original writes it
	canonical string // as OpenMetrics does
	rank      float64
	value     int64
}

// quantiles are those of a window, with the labels that the original gives them.
func quantiles(s *telemetry.Summary) [8]quantile {
	return [...]quantile{
		{"0", "0.0", 0, s.Min},
		{"0.5", "0.5", 0.5, s.P50},
		{"0.9", "0.9", 0.9, s.P90},
		{"0.95", "0.95", 0.95, s.P95},
		{"0.99", "0.99", 0.99, s.P99},
		{"0.999", "0.999", 0.999, s.P9990},
		{"0.9999", "0.9999", 0.9999, s.P9999},
		{"1", "1.0", 1, s.Max},
	}
}
