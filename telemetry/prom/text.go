package prom

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weft-mesh/weft/telemetry"
)

// textLabels writes labels as they stand between braces.
type textLabels struct{ separator string }

func (t textLabels) with(out, labels []byte, key, value string) []byte {
	out = append(out, labels...)
	if len(labels) > 0 {
		out = append(out, t.separator...)
	}
	out = append(out, key...)
	out = append(out, '=', '"')
	return append(appendEscaped(out, value, true), '"')
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

// text writes pieces of the text format, and of OpenMetrics, to buf. It is not safe for
// concurrent use: every worker has one.
type text struct {
	textLabels
	buf  []byte
	open bool // OpenMetrics
	hist telemetry.Histogram
	line []byte // of quantiles
}

// text writes the text format, or OpenMetrics.
func (o *output) text(t *telemetry.Tree, opts Options, form textLabels) {
	open := opts.Format == OpenMetrics
	pieces := textPieces(o.collect(t, opts.Prefix, form), open, opts.ClassicHistograms)
	workers := make([]text, o.team.Len())
	for i := range workers {
		workers[i] = text{textLabels: form, open: open}
	}
	_ = o.team.Do(len(pieces), func(worker, i int, buf []byte) []byte {
		x := &workers[worker]
		x.buf = buf
		pieces[i](x)
		return x.buf
	}, o.Piece)
}

// A piece has no more samples than this: it is up to 100 kB long.
const (
	pieceNumbers = 512
	pieceStats   = 64
)

// textPieces are what the text consists of.
func textPieces(c *collection, open, classic bool) (pieces []func(*text)) {
	for _, f := range c.sorted {
		if f.kind() == summary {
			pieces = append(pieces, func(t *text) { t.header(f, f.name, "", "summary") })
			pieces = appendPieces(pieces, &f.stats, pieceStats, func(t *text, x stat) { t.summary(f.name, x) })
			if !c.has(f.name+"_avg") && f.averages() {
				pieces = append(pieces, func(t *text) { t.header(f, f.name, "_avg", "gauge") })
				pieces = appendPieces(pieces, &f.stats, pieceNumbers, func(t *text, x stat) { t.average(f.name, x) })
			}
			if classic && !c.has(f.name+"_histogram") {
				pieces = append(pieces, func(t *text) { t.header(f, f.name, "_histogram", "histogram") })
				pieces = appendPieces(pieces, &f.stats, pieceStats, func(t *text, x stat) { t.histogram(f.name, x) })
			}
			continue
		}
		name, suffix, kind := f.name, "", f.kind()
		if open && kind == counter {
			name, suffix = strings.TrimSuffix(name, total), total
			if name != f.name && c.has(name) || name == f.name && c.has(name+total) {
				name, suffix, kind = f.name, "", untyped // somebody else has the name
			}
		}
		pieces = append(pieces, func(t *text) { t.header(f, name, "", t.kind(kind)) })
		pieces = appendPieces(pieces, &f.numbers, pieceNumbers, func(t *text, x number) {
			t.key(name, suffix, x.labels, "", "")
			if kind == counter {
				t.int(int64(x.value))
			} else {
				t.float(x.value)
			}
		})
	}
	return pieces
}

// appendPieces appends pieces that write some samples each.
func appendPieces[T sample](pieces []func(*text), r *runs[T], most int, write func(*text, T)) []func(*text) {
	for part := range r.parts(most) {
		pieces = append(pieces, func(t *text) {
			for _, run := range part {
				for _, x := range run.samples {
					write(t, x)
				}
			}
		})
	}
	return pieces
}

func (t *text) kind(k kind) string {
	switch {
	case k == counter:
		return "counter"
	case k == gauge:
		return "gauge"
	case t.open:
		return "unknown"
	default:
		return "untyped"
	}
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

func (t *text) summary(name string, x stat) {
	if x.window != nil && x.window.Count > 0 {
		t.quantiles(name, x.labels, x.window)
	}
	t.key(name, "_sum", x.labels, "", "")
	t.int(x.sum)
	t.key(name, "_count", x.labels, "", "")
	t.int(x.count)
}

// quantiles writes the quantiles of a stat. They are most of what there is to write, so
// what they have in common is put together once.
func (t *text) quantiles(name string, l *labels, window *telemetry.Summary) {
	line := append(append(t.line[:0], name...), '{')
	line = append(line, l.text...)
	if len(l.text) > 0 {
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

func (t *text) average(name string, x stat) {
	if x.hasAverage() {
		t.key(name, "_avg", x.labels, "", "")
		t.float(x.window.Avg)
	}
}

// classicBounds is the number of powers of two that bound classic buckets, beside 0 and
// infinity: enough for every value that there can be.
const classicBounds = 32

func (t *text) histogram(name string, x stat) {
	var number [24]byte
	x.of.Histogram(&t.hist)
	bucket := func(le []byte, n int64) {
		t.key(name, "_histogram_bucket", x.labels, "le", string(le))
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
	t.key(name, "_histogram_sum", x.labels, "", "")
	t.int(t.hist.Sum)
	t.key(name, "_histogram_count", x.labels, "", "")
	t.int(t.hist.Count)
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
	if len(l.text) > 0 || label != "" {
		out = append(out, '{')
		out = append(out, l.text...)
		if label != "" {
			if len(l.text) > 0 {
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
