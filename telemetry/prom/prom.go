// Package prom writes a telemetry tree in the Prometheus text format, with the
// metric names and labels of Linkerd's io.l5d.prometheus, which existing
// dashboards and alerts query.
package prom

import (
	"io"

	"github.com/weft-mesh/weft/telemetry"
)

// ContentType is that of the output.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Options configure Write. The zero Options give what the original gives.
type Options struct {
	// Prefix goes before all metric names.
	Prefix string

	// Types adds # TYPE lines and sorts the output by metric name, since the format
	// wants all samples of a typed metric in one block. The samples stay the same.
	Types bool
}

// Write writes the metrics of t. Counters and gauges are live; stats describe the
// last closed window, so rate() over their _count and _sum has no meaning, and
// stats whose last window was empty are left out. It returns the error of w.
func Write(w io.Writer, t *telemetry.Tree, opts Options) error {
	if opts.Types {
		return writeTyped(w, t, opts.Prefix)
	}
	var (
		s   series
		out []byte
	)
	for path, m := range t.All() {
		s.rewrite(opts.Prefix, path)
		out = s.append(out, m)
		if len(out) > 32<<10 {
			if _, err := w.Write(out); err != nil {
				return err
			}
			out = out[:0]
		}
	}
	_, err := w.Write(out)
	return err
}
