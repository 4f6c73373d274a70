package influx

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft/telemetry"
)

// line is what the metrics of one scope become. Its memory is used again: there may be a
// hundred thousand lines.
type line struct {
	fields []field
	values []byte // of all fields

	tags []tag
	name []string // of the measurement
}

// field has the key name+suffix and a part of the line's values.
type field struct {
	name, suffix string
	from, to     int
}

type tag struct{ key, value string }

func (l *line) add(name string, m telemetry.Metric) {
	switch m.Kind {
	case telemetry.KindCounter:
		l.int(name, "", m.Int)
	case telemetry.KindGauge:
		if m.Float-m.Float == 0 { // the protocol has neither of the numbers that are none
			l.float(name, "", m.Float)
		}
	case telemetry.KindStat:
		s := m.Summary
		l.float(name, "_avg", s.Avg)
		l.int(name, "_count", s.Count)
		l.int(name, "_max", s.Max)
		l.int(name, "_min", s.Min)
		l.int(name, "_p50", s.P50)
		l.int(name, "_p90", s.P90)
		l.int(name, "_p95", s.P95)
		l.int(name, "_p99", s.P99)
		l.int(name, "_p999", s.P9990)
		l.int(name, "_p9999", s.P9999)
		l.int(name, "_sum", s.Sum)
	}
}

func (l *line) int(name, suffix string, n int64) {
	from := len(l.values)
	l.values = strconv.AppendInt(l.values, n, 10)
	l.fields = append(l.fields, field{name, suffix, from, len(l.values)})
}

func (l *line) float(name, suffix string, f float64) {
	from := len(l.values)
	l.values = telemetry.AppendFloat(l.values, f)
	l.fields = append(l.fields, field{name, suffix, from, len(l.values)})
}

// append appends the line of a scope with a path. Keys and the values of tags are escaped
// as the protocol says (the original does not, which loses the lines of ids with commas or
// blanks).
func (l *line) append(out []byte, path []string, host string) []byte {
	l.place(path, host)
	if len(l.name) == 0 {
		out = append(out, "root"...)
	}
	for i, e := range l.name {
		if i > 0 {
			out = append(out, ':')
		}
		out = appendMeasurement(out, e)
	}
	for _, t := range l.tags {
		out = append(out, ',')
		out = append(out, t.key...)
		out = append(out, '=')
		out = appendEscaped(out, t.value)
	}
	if !slices.IsSortedFunc(l.fields, compareFields) {
		slices.SortFunc(l.fields, compareFields)
	}
	from, to := 0, 0 // where the key of the field before stands, without its suffix
	for i, f := range l.fields {
		if i == 0 {
			out = append(out, ' ')
		} else {
			out = append(out, ',')
		}
		switch {
		case f.suffix == "":
			out = appendEscaped(out, f.name)
		case i > 0 && l.fields[i-1].suffix != "" && l.fields[i-1].name == f.name: // a stat has eleven
			n := len(out)
			out = append(out, out[from:to]...)
			from, to = n, len(out)
			out = append(out, f.suffix...)
		default:
			from = len(out)
			out = appendPlain(out, f.name)
			to = len(out)
			out = append(out, f.suffix...)
		}
		out = append(out, '=')
		out = append(out, l.values[f.from:f.to]...)
	}
	return append(out, '\n')
}

// place takes a path apart: what follows rt is the tag rt, what follows rt,
// service|client|server is a tag of that name, and so is the service below a client.
func (l *line) place(path []string, host string) {
	l.name, l.tags = l.name[:0], append(l.tags[:0], tag{"host", host})
	has := func(keys ...string) bool {
		return slices.ContainsFunc(l.tags, func(t tag) bool { return slices.Contains(keys, t.key) })
	}
	for _, e := range path {
		switch n := len(l.name); {
		case n == 1 && l.name[0] == "rt" && !has("rt"):
			l.tags = append(l.tags, tag{"rt", e})
		case n == 2 && l.name[0] == "rt" && isStack(l.name[1]) && !has("client", "server", "service"):
			l.tags = append(l.tags, tag{l.name[1], e})
		case n == 3 && l.name[0] == "rt" && l.name[1] == "client" && l.name[2] == "service" && !has("service"):
			l.tags = append(l.tags, tag{"service", e})
		default:
			l.name = append(l.name, e)
		}
	}
	slices.SortFunc(l.tags, func(a, b tag) int { return strings.Compare(a.key, b.key) })
}

func isStack(e string) bool { return e == "service" || e == "client" || e == "server" }

// appendMeasurement replaces what names of metrics cannot have.
func appendMeasurement(out []byte, s string) []byte {
	for _, r := range s {
		if r == ':' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			out = append(out, byte(r))
		} else {
			out = append(out, '_')
		}
	}
	return out
}

// compareFields orders fields by their keys.
func compareFields(a, b field) int {
	x, xs, y, ys := a.name, a.suffix, b.name, b.suffix
	for x != "" && y != "" {
		n := min(len(x), len(y))
		if c := strings.Compare(x[:n], y[:n]); c != 0 {
			return c
		}
		if x = x[n:]; x == "" {
			x, xs = xs, ""
		}
		if y = y[n:]; y == "" {
			y, ys = ys, ""
		}
	}
	return cmp.Compare(len(x)+len(xs), len(y)+len(ys))
}
