package rollout

// WithToken returns s with what only this package sets.
func WithToken(s State, token string, seq int) State {
	s.token, s.seq = token, seq
	return s
}

// Breach is what a watching step asks.
func Breach(l Limits, older, newer, baseline Sample) string {
	return l.withDefaults().breach(older, newer, baseline)
}

// Wanting is what a step asks at its end.
func Wanting(l Limits, s Step, older, newer, baseline Sample) string {
	return l.withDefaults().wanting(s, older, newer, baseline)
}

// Wilson is the confidence interval.
func Wilson(s Sample) (lower, upper float64) { return wilson(s) }

// ParseMetric reads a line of metrics.
func ParseMetric(line string) (name string, labels map[string]string, value float64, err error) {
	m, err := parseMetric(line)
	return m.name, m.labels, m.value, err
}

// ParseAnswer reads an answer of Prometheus.
func ParseAnswer(body []byte) (float64, error) { return parseAnswer(body) }
