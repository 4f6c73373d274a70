package prom

import "github.com/weft-mesh/weft/telemetry"

// labels are those of a sample in the form in which a format writes them. Scopes share
// those of the scope that gave the last one.
type labels struct{ text string }

// labelWriter knows the form of labels.
type labelWriter interface {
	// with returns labels and one more.
	with(labels, key, value string) string
}

// place is what the path of a scope has been read as.
type place struct {
	at     *shape
	labels *labels // but for exception

	// exception is the value of that label so far, if excepted.
	excepted  bool
	exception string
}

// full are all labels.
func (p place) full(form labelWriter) *labels {
	if !p.excepted {
		return p.labels
	}
	return &labels{form.with(p.labels.text, exception, p.exception)}
}

// walk visits the metrics of a tree, those of a scope before those below it.
func walk(t *telemetry.Tree, form labelWriter, visit func(telemetry.Metric, place)) {
	w := walker{form, visit}
	root := place{at: newShape(0), labels: &labels{}}
	if m, ok := t.Scope().Metric(); ok {
		visit(m, root)
	}
	w.below(t.Scope(), root)
}

type walker struct {
	form  labelWriter
	visit func(telemetry.Metric, place)
}

func (w *walker) below(s *telemetry.Scope, p place) {
	s.Each(func(name string, m telemetry.Metric, ok bool, below *telemetry.Scope) {
		at := w.step(p, name)
		if ok {
			w.visit(m, at)
		}
		w.below(below, at)
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
		p.labels = &labels{w.form.with(p.labels.text, p.at.label, elem)}
		p.at = p.at.after
	}
	return p
}
