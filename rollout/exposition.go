package rollout

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// metric is a line of the Prometheus text format.
type metric struct {
	name   string
	labels map[string]string
	value  float64
}

// longestLine bounds a line of what proxies answer.
const longestLine = 1 << 20

// readMetrics calls f with every metric whose name begins with a prefix.
func readMetrics(r io.Reader, prefix string, f func(metric)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, prefix) || strings.HasPrefix(line, "#") {
			continue
		}
		m, err := parseMetric(line)
		if err != nil {
			return err
		}
		f(m)
	}
	return lines.Err()
}

// parseMetric reads name{label="value", …} value, with a time after it perhaps. See
// https://prometheus.io/docs/instrumenting/exposition_formats/.
func parseMetric(line string) (metric, error) {
	bad := func(what string) (metric, error) {
		if len(line) > 200 {
			line = line[:200] + "…"
		}
		return metric{}, fmt.Errorf("rollout: %s in the metric %q", what, line)
	}
	at := strings.IndexAny(line, "{ \t")
	if at < 0 {
		return bad("no value")
	}
	m := metric{name: line[:at]}
	rest := line[at:]
	if rest[0] == '{' {
		m.labels = map[string]string{}
		rest = rest[1:]
		for {
			rest = strings.TrimLeft(rest, ", \t")
			if after, ok := strings.CutPrefix(rest, "}"); ok {
				rest = after
				break
			}
			key, after, ok := strings.Cut(rest, `="`)
			if !ok {
				return bad("no label")
			}
			value, after, ok := cutQuoted(after)
			if !ok {
				return bad("an open label")
			}
			m.labels[strings.TrimSpace(key)] = value
			rest = after
		}
	}
	words := strings.Fields(rest)
	if len(words) == 0 {
		return bad("no value")
	}
	var err error
	if m.value, err = strconv.ParseFloat(words[0], 64); err != nil {
		return bad("no number")
	}
	return m, nil
}

// cutQuoted splits s at the next quote that is not escaped.
func cutQuoted(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
			if s[i] == 'n' {
				b.WriteByte('\n')
			} else {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}
