package telemetry

// Kind is what a metric is.
type Kind uint8

// The kinds of metrics.
const (
	KindCounter Kind = iota + 1 // only grows, an integer
	KindGauge                   // the state of something at the moment of reading
	KindStat                    // the distribution of values over the last closed window
)

// String returns the kind's name as the tree form of metrics.json has it.
func (k Kind) String() string {
	switch k {
	case KindCounter:
		return "counter"
	case KindGauge:
		return "gauge"
	case KindStat:
		return "stat"
	default:
		return "unknown"
	}
}

// Metric is what was read from the tree in one place.
type Metric struct {
	Kind    Kind
	Int     int64    // of a counter
	Float   float64  // of a gauge
	Summary *Summary // of a stat's last closed window; must not be written to
	Stat    *Stat    // of a stat, for what it has recorded since it was made
}

// early reports whether there is nothing to show yet where only closed windows count.
func (m Metric) early() bool { return m.Kind == KindStat && m.Summary == nil }
