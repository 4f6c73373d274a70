package prom

import (
	"slices"

	"github.com/weft-mesh/weft/telemetry"
)

// labels are those of a sample in the form in which a format writes them. Scopes share
// those of the scope that gave the last one.
type labels struct{ text []byte }

// labelWriter knows the form of labels.
type labelWriter interface {
	// with appends labels and one more to out.
	with(out, labels []byte, key, value string) []byte
}

// place is what the path of a scope has been read as.
type place struct {
	at     *shape
	labels *labels // but for exception

	// exception is the value of that label so far, if excepted.
	excepted  bool
	exception string
}

// full are all labels of a place.
func (w *walker) full(p place) *labels {
	if !p.excepted {
		return p.labels
	}
	return w.with(p.labels, exception, p.exception)
}

// with are labels and one more. They stand in memory that many share.
func (w *walker) with(l *labels, key, value string) *labels {
	from := len(w.text)
	w.text = w.form.with(w.text, l.text, key, value)
	if cap(w.labels) == len(w.labels) {
		w.labels = w.mem.labels.room(block)
	}
	w.labels = append(w.labels, labels{slices.Clip(w.text[from:])})
	if cap(w.text)-len(w.text) < labelRoom {
		w.text = w.mem.text.room(textRoom)
	}
	return &w.labels[len(w.labels)-1]
}

// labelRoom is what labels take at most if they are to share memory, and textRoom how much
// they share.
const (
	labelRoom = 1 << 10
	textRoom  = 16 << 10
)

// walker visits the metrics of parts of a tree, those of a scope before those below it. It
// is not safe for concurrent use: every worker has one.
type walker struct {
	form  labelWriter
	root  place
	mem   *slabs
	visit func(telemetry.Metric, place)

	text   []byte // of the last labels, with room for more
	labels []labels
}

func newWalker(form labelWriter, mem *slabs, visit func(telemetry.Metric, place)) *walker {
	return &walker{form: form, root: place{at: newShape(0), labels: &labels{}}, mem: mem, visit: visit}
}

// top visits the metric of the root of the tree.
func (w *walker) top(t *telemetry.Tree) {
	if m, ok := t.Scope().Metric(); ok {
		w.visit(m, w.root)
	}
}

func (w *walker) part(p *telemetry.Part) {
	at := w.root
	for _, elem := range p.Path() {
		at = w.step(at, elem)
	}
	p.Each(func(name string, m telemetry.Metric, ok bool, below *telemetry.Scope) {
		w.scope(at, name, m, ok, below)
	})
}

// scope visits what is called name below p.
func (w *walker) scope(p place, name string, m telemetry.Metric, ok bool, below *telemetry.Scope) {
	at := w.step(p, name)
	if ok {
		w.visit(m, at)
	}
	below.Each(func(name string, m telemetry.Metric, ok bool, below *telemetry.Scope) {
		w.scope(at, name, m, ok, below)
	})
}

// step is where an element leads to.
func (w *walker) step(p place, elem string) place {
	switch {
	case p.excepted:
		p.exception += ":" + elem
	case p.at.label == "":
		p.at = p.at.kid(elem)
	case p.at.label == exception:
		p.at, p.excepted, p.exception = p.at.after, true, elem
	default:
		p.labels = w.with(p.labels, p.at.label, elem)
		p.at = p.at.after
	}
	return p
}
