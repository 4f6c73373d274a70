package prom

import (
	"math"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-mesh/weft/telemetry"
)

// protoLabels writes labels as the fields that a Metric message has of them. The
// messages are written by hand since there may be a million of them; for their fields see
// https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto.
type protoLabels struct{}

func (protoLabels) with(labels, key, value string) string {
	pair := appendText(nil, 1, key)
	pair = appendText(pair, 2, strings.ToValidUTF8(value, "\uFFFD"))
	return string(appendMessage([]byte(labels), 1, pair))
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

func (o *output) protobuf(c *collection) {
	for _, f := range c.sorted {
		switch f.kind {
		case counter:
			o.numbers(f, protoCounter, 3)
		case gauge:
			o.numbers(f, protoGauge, 2)
		case untyped:
			o.numbers(f, protoUntyped, 5)
		case summary:
			var part []byte
			o.stats(f, "", protoSummary, func(out []byte, x stat) []byte {
				part = appendSummary(part[:0], x)
				return appendMessage(out, 4, part)
			})
			if !c.has(f.name + "_avg") {
				o.stats(f, "_avg", protoGauge, func(out []byte, x stat) []byte {
					if x.window == nil || x.window.Count == 0 {
						return out
					}
					return appendValue(out, 2, x.window.Avg)
				})
			}
			if !c.has(f.name + "_histogram") {
				var h telemetry.Histogram
				o.stats(f, "_histogram", protoHistogram, func(out []byte, x stat) []byte {
					x.of.Histogram(&h)
					part = appendHistogram(part[:0], &h)
					return appendMessage(out, 7, part)
				})
			}
		}
	}
}

func (o *output) numbers(f *family, kind uint64, field protowire.Number) {
	out := appendFamily(o.family[:0], f, "", kind)
	var metric []byte
	for _, block := range f.numbers {
		for _, x := range block {
			metric = appendValue(append(metric[:0], x.labels.text...), field, x.value)
			out = appendMessage(out, 4, metric)
		}
	}
	o.delimited(out)
}

// stats writes a family of stats. A metric to which value adds nothing is left out.
func (o *output) stats(f *family, suffix string, kind uint64, value func([]byte, stat) []byte) {
	out := appendFamily(o.family[:0], f, suffix, kind)
	empty := len(out)
	var metric []byte
	for _, block := range f.stats {
		for _, x := range block {
			metric = append(metric[:0], x.labels.text...)
			if metric = value(metric, x); len(metric) > len(x.labels.text) {
				out = appendMessage(out, 4, metric)
			}
		}
	}
	if len(out) > empty {
		o.delimited(out)
	}
}

func (o *output) delimited(message []byte) {
	o.buf = protowire.AppendVarint(o.buf, uint64(len(message)))
	o.flush()
	if o.err == nil {
		_, o.err = o.w.Write(message)
	}
	o.family = message[:0]
}

func appendFamily(out []byte, f *family, suffix string, kind uint64) []byte {
	out = appendText(out, 1, f.name+suffix)
	out = appendText(out, 2, f.help+helpSuffix(suffix))
	return appendUint(out, 3, kind)
}

func appendSummary(out []byte, x stat) []byte {
	count, sum := x.of.Total()
	out = appendUint(out, 1, uint64(count))
	out = appendDouble(out, 2, float64(sum))
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

func appendHistogram(out []byte, h *telemetry.Histogram) []byte {
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
