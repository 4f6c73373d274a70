package prom

import (
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-mesh/weft/telemetry"
)

// protoLabels writes labels as the fields that a Metric message has of them. The
// messages are written by hand since there may be a million of them; for their fields see
// https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto.
type protoLabels struct{}

func (protoLabels) with(out, labels []byte, key, value string) []byte {
	value = strings.ToValidUTF8(value, "\uFFFD")
	out = append(out, labels...)
	out = protowire.AppendTag(out, 1, protowire.BytesType)
	// The tags of both fields take a byte.
	out = protowire.AppendVarint(out, uint64(2+protowire.SizeBytes(len(key))+protowire.SizeBytes(len(value))))
	return appendText(appendText(out, 1, key), 2, value)
}

// Values of MetricType.
const (
	protoCounter   = 0
	protoGauge     = 1
	protoSummary   = 2
	protoUntyped   = 3
	protoHistogram = 4
)

// zeroThreshold is what Prometheus' own libraries have. Values are integers.
const zeroThreshold = 2.938735877055719e-39

// protobuf writes the messages of all families. A message begins with its length: the pieces
// of a family are kept until there are all of them.
func (o *output) protobuf(c *collection) {
	m := message{output: o, workers: make([]scratch, o.team.Len())}
	for _, f := range c.sorted {
		switch f.kind() {
		case counter:
			writeMetrics(&m, f, "", protoCounter, &f.numbers, pieceNumbers, appendNumber(3))
		case gauge:
			writeMetrics(&m, f, "", protoGauge, &f.numbers, pieceNumbers, appendNumber(2))
		case untyped:
			writeMetrics(&m, f, "", protoUntyped, &f.numbers, pieceNumbers, appendNumber(5))
		case summary:
			writeMetrics(&m, f, "", protoSummary, &f.stats, pieceStats, appendSummary)
			if !c.has(f.name + "_avg") {
				writeMetrics(&m, f, "_avg", protoGauge, &f.stats, pieceNumbers, appendAverage)
			}
			if !c.has(f.name + "_histogram") {
				writeMetrics(&m, f, "_histogram", protoHistogram, &f.stats, pieceStats, appendHistogram)
			}
		}
	}
}

// message is one that is put together of pieces.
type message struct {
	*output
	used    int // of memory.pieces; the others are for the next message
	workers []scratch
}

// scratch is what a worker builds parts of messages in.
type scratch struct {
	metric []byte
	part   []byte
	hist   telemetry.Histogram
}

// writeMetrics writes the message of a family: value appends a field to a Metric. A metric to
// which it adds nothing is left out, and so is a family without metrics.
func writeMetrics[T sample](
	m *message, f *family, suffix string, kind uint64, r *runs[T], most int, value func(*scratch, []byte, T) []byte,
) {
	if m.Err != nil {
		return
	}
	parts := slices.Collect(r.parts(most))
	m.used = 0
	m.add(appendFamily(nil, f, suffix, kind))
	empty := m.size()
	_ = m.team.Do(len(parts), func(worker, i int, buf []byte) []byte {
		s := &m.workers[worker]
		for _, run := range parts[i] {
			for _, x := range run.samples {
				l := x.labelText()
				s.metric = value(s, append(s.metric[:0], l...), x)
				if len(s.metric) > len(l) {
					buf = appendMessage(buf, 4, s.metric)
				}
			}
		}
		return buf
	}, func(piece []byte) error {
		m.add(piece)
		return nil
	})
	if m.size() == empty {
		return
	}
	_ = m.Piece(protowire.AppendVarint(nil, uint64(m.size())))
	for _, p := range m.pieces[:m.used] {
		_ = m.Piece(p)
	}
}

// add copies a piece.
func (m *message) add(piece []byte) {
	if m.used == len(m.pieces) {
		m.pieces = append(m.pieces, nil)
	}
	m.pieces[m.used] = append(m.pieces[m.used][:0], piece...)
	m.used++
}

func (m *message) size() (n int) {
	for _, p := range m.pieces[:m.used] {
		n += len(p)
	}
	return n
}

func appendFamily(out []byte, f *family, suffix string, kind uint64) []byte {
	out = appendText(out, 1, f.name+suffix)
	out = appendText(out, 2, f.help+helpSuffix(suffix))
	return appendUint(out, 3, kind)
}

func appendNumber(field protowire.Number) func(*scratch, []byte, number) []byte {
	return func(_ *scratch, out []byte, x number) []byte { return appendValue(out, field, x.value) }
}

func appendAverage(_ *scratch, out []byte, x stat) []byte {
	if !x.hasAverage() {
		return out
	}
	return appendValue(out, 2, x.window.Avg)
}

func appendSummary(s *scratch, out []byte, x stat) []byte {
	s.part = appendSummaryFields(s.part[:0], x)
	return appendMessage(out, 4, s.part)
}

func appendHistogram(s *scratch, out []byte, x stat) []byte {
	x.of.Histogram(&s.hist)
	s.part = appendHistogramFields(s.part[:0], &s.hist)
	return appendMessage(out, 7, s.part)
}

func appendSummaryFields(out []byte, x stat) []byte {
	out = appendUint(out, 1, uint64(x.count))
	out = appendDouble(out, 2, float64(x.sum))
	if x.window == nil || x.window.Count == 0 {
		return out
	}
	for _, q := range quantiles(x.window) {
		out = protowire.AppendTag(out, 3, protowire.BytesType)
		out = protowire.AppendVarint(out, 18) // two doubles with their tags
		out = appendDouble(out, 1, q.rank)
		out = appendDouble(out, 2, float64(q.value))
	}
	return out
}

func appendHistogramFields(out []byte, h *telemetry.Histogram) []byte {
	out = appendUint(out, 1, uint64(h.Count))
	out = appendDouble(out, 2, float64(h.Sum))
	out = protowire.AppendTag(out, 5, protowire.VarintType)
	out = protowire.AppendVarint(out, protowire.EncodeZigZag(telemetry.HistogramSchema))
	out = appendDouble(out, 6, zeroThreshold)
	out = appendUint(out, 7, uint64(h.Zero))

	// A span is buckets without a gap between them. Its offset counts from the end of
	// the one before.
	next := int32(0)
	for rest := h.Buckets; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Index == rest[n-1].Index+1 {
			n++
		}
		var span [16]byte
		part := protowire.AppendTag(span[:0], 1, protowire.VarintType)
		part = protowire.AppendVarint(part, protowire.EncodeZigZag(int64(rest[0].Index-next)))
		part = appendUint(part, 2, uint64(n))
		out = appendMessage(out, 12, part)
		next = rest[n-1].Index + 1
		rest = rest[n:]
	}
	if len(h.Buckets) == 0 {
		out = appendMessage(out, 12, nil) // it would be taken for a classic histogram
	}
	before := int64(0)
	for _, b := range h.Buckets {
		out = protowire.AppendTag(out, 13, protowire.VarintType)
		out = protowire.AppendVarint(out, protowire.EncodeZigZag(b.Count-before))
		before = b.Count
	}
	return out
}

// appendValue appends a message whose field 1 is a double.
func appendValue(out []byte, field protowire.Number, v float64) []byte {
	out = protowire.AppendTag(out, field, protowire.BytesType)
	out = protowire.AppendVarint(out, 9)
	return appendDouble(out, 1, v)
}

func appendMessage(out []byte, field protowire.Number, message []byte) []byte {
	out = protowire.AppendTag(out, field, protowire.BytesType)
	return protowire.AppendBytes(out, message)
}

func appendText(out []byte, field protowire.Number, s string) []byte {
	out = protowire.AppendTag(out, field, protowire.BytesType)
	return protowire.AppendString(out, s)
}

func appendUint(out []byte, field protowire.Number, n uint64) []byte {
	out = protowire.AppendTag(out, field, protowire.VarintType)
	return protowire.AppendVarint(out, n)
}

func appendDouble(out []byte, field protowire.Number, v float64) []byte {
	out = protowire.AppendTag(out, field, protowire.Fixed64Type)
	return protowire.AppendFixed64(out, math.Float64bits(v))
}
