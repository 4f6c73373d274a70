package prom

import (
	"io"
	"maps"
	"slices"

	"github.com/weft-mesh/weft/telemetry"
)

// family is the block of all samples of one typed metric.
type family struct {
	kind    string
	samples []byte
}

// writeTyped is Write with # TYPE lines. A stat is two families: a summary, and
// its average, for which summaries have no place.
func writeTyped(w io.Writer, t *telemetry.Tree, prefix string) error {
	var s series
	families := make(map[string]*family)
	of := func(suffix, kind string) *family {
		name := string(s.name) + suffix
		f := families[name]
		if f == nil {
			f = &family{kind: kind}
			families[name] = f
		}
		if f.kind != kind {
			f.kind = "untyped" // two paths became one name
		}
		return f
	}
	for path, m := range t.All() {
		s.rewrite(prefix, path)
		switch m.Kind {
		case telemetry.KindCounter:
			f := of("", "counter")
			f.samples = s.append(f.samples, m)
		case telemetry.KindGauge:
			f := of("", "gauge")
			f.samples = s.append(f.samples, m)
		case telemetry.KindStat:
			if m.Summary.Count == 0 {
				continue
			}
			f := of("", "summary")
			f.samples = s.appendQuantiles(f.samples, m.Summary)
			f.samples = s.appendInt(f.samples, "_sum", "", m.Summary.Sum)
			f.samples = s.appendInt(f.samples, "_count", "", m.Summary.Count)
			f = of("_avg", "gauge")
			f.samples = s.appendFloat(f.samples, "_avg", m.Summary.Avg)
		}
	}
	var out []byte
	for _, name := range slices.Sorted(maps.Keys(families)) {
		f := families[name]
		out = append(out, "# TYPE "...)
		out = append(out, name...)
		out = append(out, ' ')
		out = append(out, f.kind...)
		out = append(out, '\n')
		out = append(out, f.samples...)
	}
	_, err := w.Write(out)
	return err
}
