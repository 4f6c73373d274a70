// Package influx writes a telemetry tree in InfluxDB's line protocol, as the page of
// Linkerd's io.l5d.influxdb, which Telegraf polls: a line for every scope that has
// metrics, without a timestamp.
package influx

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft/telemetry"
)

// ContentType is that of the output.
const ContentType = "text/plain"

// Options configure Write. The zero Options give what the original gives to a
// request without a Host header.
type Options struct {
	// Host is the value of the tag host. Empty is "none".
	Host string
}

// Write writes the metrics of t. Counters and gauges are live; stats describe the
// last closed window, even if it was empty. It returns the error of w.
func Write(w io.Writer, t *telemetry.Tree, o Options) error {
	if o.Host == "" {
		o.Host = "none"
	}
	x := writer{w: w, host: o.Host}
	x.scope(t.Scope(), nil)
	x.flush()
	return x.err
}

// writer writes the lines of scopes, those of a scope before those below it, in pieces.
type writer struct {
	w    io.Writer
	host string
	buf  []byte
	err  error
}

func (x *writer) scope(s *telemetry.Scope, path []string) {
	type inner struct {
		name  string
		scope *telemetry.Scope
	}
	var (
		l     *line
		below []inner
	)
	s.Each(func(name string, m telemetry.Metric, ok bool, b *telemetry.Scope) {
		if b != nil {
			below = append(below, inner{name, b})
		}
		if !ok || m.Kind == telemetry.KindStat && m.Summary == nil {
			return
		}
		if l == nil {
			l = newLine(path, x.host)
		}
		l.add(name, m)
	})
	if l != nil {
		x.buf = l.append(x.buf)
		if len(x.buf) > 32<<10 {
			x.flush()
		}
	}
	for _, b := range below {
		x.scope(b.scope, append(path, b.name))
	}
}

func (x *writer) flush() {
	if x.err == nil && len(x.buf) > 0 {
		_, x.err = x.w.Write(x.buf)
	}
	x.buf = x.buf[:0]
}

// line is what one scope becomes.
type line struct {
	measurement string
	tags        []tag
	fields      []tag
}

type tag struct{ key, value string }

// newLine turns the path of a scope into a measurement and tags: what follows rt is
// the tag rt, what follows rt, service|client|server is a tag of that name, and so is
// the service below a client.
func newLine(scope []string, host string) *line {
	l := &line{tags: []tag{{"host", host}}}
	var name []string
	seen := map[string]bool{}
	label := func(key, value string) {
		l.tags = append(l.tags, tag{key, value})
		seen[key] = true
	}
	for _, e := range scope {
		switch n := len(name); {
		case n == 1 && name[0] == "rt" && !seen["rt"]:
			label("rt", e)
		case n == 2 && name[0] == "rt" && isStack(name[1]) && !seen["client"] && !seen["server"] && !seen["service"]:
			label(name[1], e)
		case n == 3 && name[0] == "rt" && name[1] == "client" && name[2] == "service" && !seen["service"]:
			label("service", e)
		default:
			name = append(name, e)
		}
	}
	l.measurement = "root"
	if len(name) > 0 {
		l.measurement = measurement(strings.Join(name, ":"))
	}
	slices.SortFunc(l.tags, func(a, b tag) int { return strings.Compare(a.key, b.key) })
	return l
}

func isStack(e string) bool { return e == "service" || e == "client" || e == "server" }

// measurement replaces what names of metrics cannot have.
func measurement(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ':' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, s)
}

func (l *line) add(name string, m telemetry.Metric) {
	field := func(suffix, value string) { l.fields = append(l.fields, tag{name + suffix, value}) }
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	switch m.Kind {
	case telemetry.KindCounter:
		field("", number(m.Int))
	case telemetry.KindGauge:
		// The protocol has neither of the numbers that are none.
		if text := string(telemetry.AppendFloat(nil, m.Float)); m.Float-m.Float == 0 {
			field("", text)
		}
	case telemetry.KindStat:
		s := m.Summary
		field("_avg", string(telemetry.AppendFloat(nil, s.Avg)))
		for _, x := range []struct {
			suffix string
			n      int64
		}{
			{"_count", s.Count},
			{"_max", s.Max},
			{"_min", s.Min},
			{"_p50", s.P50},
			{"_p90", s.P90},
			{"_p95", s.P95},
			{"_p99", s.P99},
			{"_p999", s.P9990},
			{"_p9999", s.P9999},
			{"_sum", s.Sum},
		} {
			field(x.suffix, number(x.n))
		}
	}
}

// append appends the line. Keys and the values of tags are escaped as the protocol
// says (the original does not, which loses the lines of ids with commas or blanks).
func (l *line) append(out []byte) []byte {
	if len(l.fields) == 0 {
		return out
	}
	out = append(out, l.measurement...)
	for _, t := range l.tags {
		out = append(out, ',')
		out = append(out, t.key...)
		out = append(out, '=')
		out = appendEscaped(out, t.value)
	}
	slices.SortFunc(l.fields, func(a, b tag) int { return strings.Compare(a.key, b.key) })
	for i, f := range l.fields {
		if i == 0 {
			out = append(out, ' ')
		} else {
			out = append(out, ',')
		}
		out = appendEscaped(out, f.key)
		out = append(out, '=')
		out = append(out, f.value...)
	}
	return append(out, '\n')
}

func appendEscaped(out []byte, s string) []byte {
	if s == "" {
		return append(out, "none"...) // an empty value would make the line malformed
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c == ',' || c == '=' || c == ' ':
			out = append(out, '\\', c)
		case c < ' ':
			out = append(out, '_')
		default:
			out = append(out, c)
		}
	}
	if out[len(out)-1] == '\\' {
		out = append(out, ' ') // a backslash at the end would escape what separates
	}
	return out
}
