package telemetry

import "sync/atomic"

// Field is one metric of a group: a counter or a gauge.
type Field struct {
	Name string
	Kind Kind
}

// group is what Scope.Group has added to a scope.
type group struct {
	fields []Field
	fn     atomic.Pointer[func(values []float64)]
	next   *group // of the same scope
}

// Group makes read the metrics that fields name below s, which must be sorted by name and
// are kept: a table that all scopes of a kind share. Read sets the values of all fields,
// in their order, and is asked once by whoever looks at the scope; values are zeros before.
// It is called by every exporter that walks the tree, concurrently, must not block and must
// not keep values. A group made again with the same table reads the newest function; the
// names of a scope's groups must differ, from each other and from those of other metrics.
//
// A group costs a fraction of the memory and of the time that handles of their own would,
// which matters where there are thousands of scopes alike.
func (s *Scope) Group(fields []Field, read func(values []float64)) {
	if s == nil || len(fields) == 0 {
		return
	}
	t := s.tree()
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.kids == nil {
		s.kids = &kids{}
	}
	for g := s.kids.groups; g != nil; g = g.next {
		if &g.fields[0] == &fields[0] {
			g.fn.Store(&read)
			return
		}
	}
	g := &group{fields: fields, next: s.kids.groups}
	g.fn.Store(&read)
	s.kids.groups = g
}

// metric is the field i where v is the value.
func (g *group) metric(i int, v float64) Metric {
	if g.fields[i].Kind == KindCounter {
		return Metric{Kind: KindCounter, Int: int64(v)}
	}
	return Metric{Kind: KindGauge, Float: v}
}

// groupMetric is a field of a group as a metric.
type groupMetric struct {
	*group
	field int
}

func (m groupMetric) read() (Metric, bool) {
	values := make([]float64, len(m.fields))
	(*m.fn.Load())(values)
	return m.metric(m.field, values[m.field]), true
}

// groupCursor is where somebody stands who reads the fields of a group in their order.
type groupCursor struct {
	*group
	field  int
	values []float64
}

func (c *groupCursor) name() string { return c.fields[c.field].Name }

// visit calls visit with the field, and goes on to the next.
func (c *groupCursor) visit(visit func(name string, m Metric, ok bool, below *Scope) bool) bool {
	i := c.field
	c.field++
	return visit(c.fields[i].Name, c.metric(i, c.values[i]), true, nil)
}

// least returns the cursor whose field is the first by name, nil if all are at the end.
func least(all []groupCursor) *groupCursor {
	var first *groupCursor
	for i := range all {
		c := &all[i]
		if c.field < len(c.fields) && (first == nil || c.name() < first.name()) {
			first = c
		}
	}
	return first
}
