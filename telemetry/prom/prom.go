// Package prom writes a telemetry tree for Prometheus, with the metric names and labels
// of Linkerd's io.l5d.prometheus, which existing dashboards and alerts query: as text
// with # TYPE and # HELP, as OpenMetrics, as protobuf with native histograms, or, for
// those who count on it, exactly as the original did.
//
// A stat is up to three families. NAME is a summary: its quantiles are those of the last
// closed window, as in the original, but its _count and _sum count from the start, so that
// rate() has a meaning. NAME_avg is the average of the last window. NAME_histogram has
// everything since the start: as a native histogram in protobuf, and in classic buckets
// in text where it is asked for. A histogram of its own has its price in one place, and
// lets a summary, whose quantiles are cheap and exact, live beside it.
package prom

import (
	"io"

	"github.com/weft-mesh/weft/internal/inorder"
	"github.com/weft-mesh/weft/telemetry"
)

// Options configure Write. The zero Options are text with types.
type Options struct {
	// Prefix goes before all metric names.
	Prefix string

	// Format is in which form the metrics are written.
	Format Format

	// ClassicHistograms adds the histograms of stats in classic buckets, whose bounds
	// are powers of two, to the formats that are text.
	ClassicHistograms bool

	// Compatible gives what the original gives and nothing else: no TYPE and HELP, its
	// escaping of labels, in which values cannot be told from each other that differ in
	// backslashes and quotes, and _count and _sum of the last closed window, over which
	// rate() has no meaning. Format and ClassicHistograms have no effect.
	Compatible bool

	// Memory is kept from one call of Write to the next ones that have the same. Nil is
	// new memory each time, which matters with thousands of services.
	Memory *Memory
}

// ContentType is that of what Write writes.
func (o Options) ContentType() string {
	if o.Compatible {
		return Text.contentType()
	}
	return o.Format.contentType()
}

// Write writes the metrics of t: all samples of a family in one block, families by name.
// Stats that never had a value are left out. It returns the error of w.
//
// Where two metrics of the tree have the same name and labels once characters were
// replaced, the first one counts; where those of a name are of different kinds, they
// are untyped.
func Write(w io.Writer, t *telemetry.Tree, o Options) error {
	mem := o.Memory.take()
	defer o.Memory.give(mem)
	out := &output{memory: mem, Output: inorder.Output{W: w, Buf: mem.buf}}
	defer func() { mem.buf = out.Buf }()
	switch {
	case o.Compatible:
		out.compatible(t, o.Prefix)
	case o.Format == Protobuf:
		out.protobuf(out.collect(t, o.Prefix, protoLabels{}))
	case o.Format == OpenMetrics:
		out.text(t, o, textLabels{separator: ","})
		_ = out.Piece([]byte("# EOF\n"))
	default:
		out.text(t, o, textLabels{separator: ", "})
	}
	return out.Flush()
}

// output is what is written, in the memory of one Write.
type output struct {
	*memory
	inorder.Output
}
