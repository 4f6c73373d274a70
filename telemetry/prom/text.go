package prom

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weft-mesh/weft/telemetry"
)

// textLabels writes labels as they stand between braces.
type textLabels struct{ separator string }

func (t textLabels) with(labels, key, value string) string {
	out := make([]byte, 0, len(labels)+len(t.separator)+len(key)+len(value)+8)
	out = append(out, labels...)
	if labels != "" {
		out = append(out, t.separator...)
	}
	out = append(out, key...)
	out = append(out, '=', '"')
	out = appendEscaped(out, value, true)
	return string(append(out, '"'))
}

// appendEscaped escapes what a line cannot have. Prometheus takes a scrape that has a
// byte in it that is not UTF-8 for malformed.
func appendEscaped(out []byte, s string, quotes bool) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\\':
			out = append(out, `\\`...)
		case c == '\n':
			out = append(out, `\n`...)
		case c == '"' && quotes:
			out = append(out, `\"`...)
		default:
			out = append(out, c)
		}
	}
	return out
}

// text writes the text format, and OpenMetrics.
type text struct {
	*output
	textLabels
	open    bool // OpenMetrics
	classic bool // with histograms
	hist    telemetry.Histogram
	line    []byte // of quantiles
}

func (t *text) write(c *collection) {
	for _, f := range c.sorted {
		switch f.kind {
		case summary:
			t.summary(f)
			if !c.has(f.name + "_avg") {
				t.averages(f)
			}
			if t.classic && !c.has(f.name+"_histogram") {
				t.histograms(f)
			}
		case counter:
			t.counters(f, c)
		case gauge:
			t.values(f, "gauge")
		case untyped:
			t.values(f, t.unknown())
		}
	}
}

func (t *text) unknown() string {
	if t.open {
		return "unknown"
	}
	return "untyped"
}

func (t *text) header(f *family, name, suffix, kind string) {
	t.buf = append(t.buf, "# HELP "...)
	t.buf = append(t.buf, name...)
	t.buf = append(t.buf, suffix...)
	t.buf = append(t.buf, ' ')
	t.buf = appendEscaped(t.buf, f.help+helpSuffix(suffix), t.open)
	t.buf = append(t.buf, "\n# TYPE "...)
	t.buf = append(t.buf, name...)
	t.buf = append(t.buf, suffix...)
	t.buf = append(t.buf, ' ')
	t.buf = append(t.buf, kind...)
	t.buf = append(t.buf, '\n')
}

// total is what OpenMetrics wants the samples of a counter to end in, and its family not.
const total = "_total"

func (t *text) counters(f *family, c *collection) {
	name, suffix := f.name, ""
	if t.open {
		name, suffix = strings.TrimSuffix(name, total), total
		if name != f.name && c.has(name) || name == f.name && c.has(name+total) {
			t.values(f, t.unknown()) // somebody else has the name
			return
		}
	}
	t.header(f, name, "", "counter")
	for _, block := range f.numbers {
		for _, x := range block {
			t.key(name, suffix, x.labels, "", "")
			t.int(int64(x.value))
		}
		t.full()
	}
}

func (t *text) values(f *family, kind string) {
	t.header(f, f.name, "", kind)
	for _, block := range f.numbers {
		for _, x := range block {
			t.key(f.name, "", x.labels, "", "")
			t.float(x.value)
		}
		t.full()
	}
}

func (t *text) summary(f *family) {
	t.header(f, f.name, "", "summary")
	for _, block := range f.stats {
		for _, x := range block {
			count, sum := x.of.Total()
			if x.window != nil && x.window.Count > 0 {
				t.quantiles(f.name, x.labels, x.window)
			}
			t.key(f.name, "_sum", x.labels, "", "")
			t.int(sum)
			t.key(f.name, "_count", x.labels, "", "")
			t.int(count)
			t.full()
		}
	}
}

// quantiles writes the quantiles of a stat. They are most of what there is to write, so
// what they have in common is put together once.
func (t *text) quantiles(name string, l *labels, window *telemetry.Summary) {
	line := append(append(t.line[:0], name...), '{')
	line = append(line, l.text...)
	if l.text != "" {
		line = append(line, t.separator...)
	}
	line = append(line, `quantile="`...)
	t.line = line
	for _, q := range quantiles(window) {
		text := q.text
		if t.open {
			text = q.canonical
		}
		t.buf = append(append(append(t.buf, line...), text...), `"} `...)
		t.int(q.value)
	}
}

func (t *text) averages(f *family) {
	first := true
	for _, block := range f.stats {
		for _, x := range block {
			if x.window == nil || x.window.Count == 0 {
				continue
			}
			if first {
				t.header(f, f.name, "_avg", "gauge")
				first = false
			}
			t.key(f.name, "_avg", x.labels, "", "")
			t.float(x.window.Avg)
		}
		t.full()
	}
}

// classicBounds is the number of powers of two that bound classic buckets, beside 0 and
// infinity: enough for every value that there can be.
const classicBounds = 32

func (t *text) histograms(f *family) {
	t.header(f, f.name, "_histogram", "histogram")
	var number [24]byte
	for _, block := range f.stats {
		for _, x := range block {
			x.of.Histogram(&t.hist)
			bucket := func(le []byte, n int64) {
				t.key(f.name, "_histogram_bucket", x.labels, "le", string(le))
				t.int(n)
			}
			n, rest := t.hist.Zero, t.hist.Buckets
			bucket(t.bound(number[:0], 0), n)
			for i := range int32(classicBounds) {
				for len(rest) > 0 && rest[0].Index <= i<<telemetry.HistogramSchema {
					n += rest[0].Count
					rest = rest[1:]
				}
				bucket(t.bound(number[:0], 1<<i), n)
			}
			bucket(append(number[:0], "+Inf"...), t.hist.Count)
			t.key(f.name, "_histogram_sum", x.labels, "", "")
			t.int(t.hist.Sum)
			t.key(f.name, "_histogram_count", x.labels, "", "")
			t.int(t.hist.Count)
			t.full()
		}
	}
}

// bound appends the bound of a bucket. OpenMetrics has numbers in labels as floats.
func (t *text) bound(dst []byte, n int64) []byte {
	if t.open {
		return telemetry.AppendFloat(dst, float64(n))
	}
	return strconv.AppendInt(dst, n, 10)
}

// key begins a sample.
func (t *text) key(name, suffix string, l *labels, label, value string) {
	out := append(append(t.buf, name...), suffix...)
	if l.text != "" || label != "" {
		out = append(out, '{')
		out = append(out, l.text...)
		if label != "" {
			if l.text != "" {
				out = append(out, t.separator...)
			}
			out = append(out, label...)
			out = append(out, '=', '"')
			out = append(out, value...)
			out = append(out, '"')
		}
		out = append(out, '}')
	}
	out = append(out, ' ')
	t.buf = out
}

func (t *text) int(n int64) { t.buf = append(strconv.AppendInt(t.buf, n, 10), '\n') }

func (t *text) float(f float64) { t.buf = append(telemetry.AppendFloat(t.buf, f), '\n') }
