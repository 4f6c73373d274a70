package prom

import "github.com/weft-mesh/weft/telemetry"

// linkerdLabels writes labels as the original does, whose escaping cannot be undone.
type linkerdLabels struct{}

func (linkerdLabels) with(labels, key, value string) string {
	out := []byte(labels)
	if labels != "" {
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
	return string(append(out, '"'))
}

// compatible writes what the original writes, in the order of the tree.
func (o *output) compatible(t *telemetry.Tree, prefix string) {
	x := text{output: o, textLabels: textLabels{separator: ", "}}
	walk(t, linkerdLabels{}, func(m telemetry.Metric, p place) {
		name, l := p.at.name(prefix), p.full(linkerdLabels{})
		switch m.Kind {
		case telemetry.KindCounter:
			x.key(name, "", l, "", "")
			x.int(m.Int)
		case telemetry.KindGauge:
			x.key(name, "", l, "", "")
			x.float(m.Float)
		case telemetry.KindStat:
			if m.Summary == nil || m.Summary.Count == 0 {
				return
			}
			x.key(name, "_count", l, "", "")
			x.int(m.Summary.Count)
			x.key(name, "_sum", l, "", "")
			x.int(m.Summary.Sum)
			x.key(name, "_avg", l, "", "")
			x.float(m.Summary.Avg)
			x.quantiles(name, l, m.Summary)
		}
		x.full()
	})
}
