package telemetry

import (
	"cmp"
	"slices"
	"sync/atomic"
)

// Field is one metric of a group: a counter or a gauge.
type Field struct {
	Name string
	Kind Kind
}

// group is what Scope.Group has added to a scope.
type group struct {
	fields []Field
	fn     atomic.Pointer[func(field int) float64]
	next   *group // of the same scope
}

// Group makes read the metrics that fields name below s, which must be sorted by name and
// are kept: a table that all scopes of a kind share. Read gets the place of a field in it,
// is called by every exporter that walks the tree, concurrently, and must not block. A
// group made again with the same table reads the newest function; the names of a scope's
// groups must differ, from each other and from those of other metrics.
//
// A group costs a fraction of the memory that handles of their own would, which matters
// where there are thousands of scopes alike.
func (s *Scope) Group(fields []Field, read func(field int) float64) {
	if s == nil || len(fields) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for g := s.groups; g != nil; g = g.next {
		if &g.fields[0] == &fields[0] {
			g.fn.Store(&read)
			return
		}
	}
	g := &group{fields: fields, next: s.groups}
	g.fn.Store(&read)
	s.groups = g
}

// groupMetric is a field of a group as a metric.
type groupMetric struct {
	*group
	field int
}

func (m groupMetric) read() (Metric, bool) {
	v := (*m.fn.Load())(m.field)
	if m.fields[m.field].Kind == KindCounter {
		return Metric{Kind: KindCounter, Int: int64(v)}, true
	}
	return Metric{Kind: KindGauge, Float: v}, true
}

// grouped returns the scope that stands for the field called name, nil if there is none.
// The caller holds mu.
func (s *Scope) grouped(name string) *Scope {
	for g := s.groups; g != nil; g = g.next {
		i, ok := slices.BinarySearchFunc(g.fields, name, func(f Field, name string) int { return cmp.Compare(f.Name, name) })
		if ok {
			return &Scope{tree: s.tree, parent: s, name: name, metric: groupMetric{g, i}}
		}
	}
	return nil
}

// withGroups returns order, which is sorted, with the fields of groups among it. The scopes
// that stand for fields are made for the occasion.
func (s *Scope) withGroups(order []*Scope, groups *group) []*Scope {
	n := 0
	for g := groups; g != nil; g = g.next {
		n += len(g.fields)
	}
	made := make([]Scope, n)
	all := append(make([]*Scope, 0, len(order)+n), order...)
	n = 0
	for g := groups; g != nil; g = g.next {
		for i := range g.fields {
			k := &made[n]
			n++
			k.tree, k.parent, k.name, k.metric = s.tree, s, g.fields[i].Name, groupMetric{g, i}
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(a, b *Scope) int { return cmp.Compare(a.name, b.name) })
	return all
}
