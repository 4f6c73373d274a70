package prom

import (
	"slices"
	"strings"

	"github.com/weft-mesh/weft/telemetry"
)

// kind is what a family is.
type kind uint8

const (
	counter kind = iota
	gauge
	untyped
	summary
)

// family is all samples of one name.
type family struct {
	name    string
	kind    kind
	help    string
	numbers blocks[number]
	stats   blocks[stat]

	// checked says that two places of the tree have got into this family, so that the
	// same labels may be there twice.
	checked bool
	seen    map[string]bool
	from    *shape
}

type number struct {
	labels *labels
	value  float64
}

type stat struct {
	labels *labels
	window *telemetry.Summary // nil before the end of the first one
	of     *telemetry.Stat
}

// blocks is a list that grows without being copied: there may be a million elements.
type blocks[T any] [][]T

func (b *blocks[T]) add(v T) {
	n := len(*b)
	if n == 0 || len((*b)[n-1]) == cap((*b)[n-1]) {
		*b = append(*b, make([]T, 0, min(16<<n, 2048)))
		n++
	}
	(*b)[n-1] = append((*b)[n-1], v)
}

// collection is what a tree has to show.
type collection struct {
	prefix string
	form   labelWriter
	byName map[string]*family
	sorted []*family
}

// collect reads the tree. Gauges are read now, stats when they are written.
func collect(t *telemetry.Tree, prefix string, form labelWriter) *collection {
	c := &collection{prefix: prefix, form: form, byName: map[string]*family{}}
	walk(t, form, c.sample)
	for _, f := range c.byName {
		c.sorted = append(c.sorted, f)
	}
	slices.SortFunc(c.sorted, func(a, b *family) int { return strings.Compare(a.name, b.name) })
	return c
}

// has reports whether a family of this name is there.
func (c *collection) has(name string) bool { return c.byName[name] != nil }

func (c *collection) sample(m telemetry.Metric, p place) {
	var (
		k     kind
		value float64
	)
	switch m.Kind {
	case telemetry.KindCounter:
		k, value = counter, float64(m.Int)
	case telemetry.KindGauge:
		k, value = gauge, m.Float
	case telemetry.KindStat:
		k = summary
		if !m.Stat.Used() {
			return
		}
	}
	if p.at.family == nil {
		p.at.family = c.family(p.at, k)
	}
	f, l := p.at.family, p.full(c.form)
	if (f.kind == summary) != (k == summary) {
		return // a name cannot be that of a stat and of a number
	}
	if (f.checked || strings.Contains(p.exception, ":")) && f.known(l) {
		return
	}
	if f.kind != k {
		f.kind = untyped
	}
	if k == summary {
		f.stats.add(stat{l, m.Summary, m.Stat})
	} else {
		f.numbers.add(number{l, value})
	}
}

// family returns the family of a shape, which may be that of another shape, too.
func (c *collection) family(at *shape, k kind) *family {
	name := validName(at.name(c.prefix))
	f := c.byName[name]
	if f == nil {
		f = &family{name: name, kind: k, help: help(at.elems), from: at}
		c.byName[name] = f
	}
	if f.from != at {
		f.checked = true
	}
	return f
}

// known reports whether the family has a sample with the same labels, and takes note
// of them.
func (f *family) known(l *labels) bool {
	if f.seen == nil {
		f.seen = map[string]bool{}
		for _, block := range f.numbers {
			for _, x := range block {
				f.seen[x.labels.text] = true
			}
		}
		for _, block := range f.stats {
			for _, x := range block {
				f.seen[x.labels.text] = true
			}
		}
	}
	known := f.seen[l.text]
	f.seen[l.text] = true
	return known
}
