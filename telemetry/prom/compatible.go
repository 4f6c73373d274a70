package prom

import "github.com/weft-mesh/weft/telemetry"

// linkerdLabels writes labels as the original does, whose escaping cannot be undone.
type linkerdLabels struct{}

func (linkerdLabels) with(out, labels []byte, key, value string) []byte {
	out = append(out, labels...)
	if len(labels) > 0 {
		out = append(out, ", "...)
	}
	out = append(out, key...)
	out = append(out, '=', '"')
	for i := range len(value) {
		switch c := value[i]; c {
		case '\\', '"', '\n':
			out = append(out, '\\', '\\')
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}

// compatible writes what the original writes, in the order of the tree.
func (o *output) compatible(t *telemetry.Tree, prefix string) {
	parts := t.Scope().Parts()
	workers := make([]linkerdWriter, o.team.Len())
	for i := range workers {
		workers[i].init(prefix, o.worker(i))
	}
	workers[0].walk.top(t)
	_ = o.Piece(workers[0].text.buf)
	_ = o.team.Do(len(parts), func(worker, i int, buf []byte) []byte {
		x := &workers[worker]
		x.text.buf = buf
		x.walk.part(&parts[i])
		return x.text.buf
	}, o.Piece)
}

// linkerdWriter writes what the original writes.
type linkerdWriter struct {
	prefix string
	text   text
	walk   *walker
}

func (x *linkerdWriter) init(prefix string, mem *slabs) {
	x.prefix, x.text = prefix, text{textLabels: textLabels{separator: ", "}}
	x.walk = newWalker(linkerdLabels{}, mem, x.metric)
}

func (x *linkerdWriter) metric(m telemetry.Metric, p place) {
	t, name, l := &x.text, p.at.name(x.prefix), x.walk.full(p)
	switch m.Kind {
	case telemetry.KindCounter:
		t.key(name, "", l, "", "")
		t.int(m.Int)
	case telemetry.KindGauge:
		t.key(name, "", l, "", "")
		t.float(m.Float)
	case telemetry.KindStat:
		if m.Summary == nil || m.Summary.Count == 0 {
			return
		}
		t.key(name, "_count", l, "", "")
		t.int(m.Summary.Count)
		t.key(name, "_sum", l, "", "")
		t.int(m.Summary.Sum)
		t.key(name, "_avg", l, "", "")
		t.float(m.Summary.Avg)
		t.quantiles(name, l, m.Summary)
	}
}
