package telemetry

// visitChunk is of how many scopes a visit takes what they have under one lock.
const visitChunk = 32

// visitor is the memory of a visit to what is directly below a scope.
type visitor struct {
	fields []groupCursor
	values []float64
	chunk  [visitChunk]visited
}

// visited is what a scope had when the visit came to it.
type visited struct {
	name   string
	metric metric
	value  Metric // of the metric
	ok     bool   // there is one
	below  *Scope // nil if there is nothing
}

// each calls visit with what is directly below s until it returns false; see Each.
func (s *Scope) each(t *Tree, visit func(name string, m Metric, ok bool, below *Scope) bool) bool {
	list, groups := s.below(t)
	p := Part{at: s, list: list, groups: groups, first: true, rest: true}
	return p.each(t, visit)
}

// each calls visit with what is in the part until it returns false.
func (p *Part) each(t *Tree, visit func(name string, m Metric, ok bool, below *Scope) bool) bool {
	if len(p.list) == 0 && p.groups == nil {
		return true
	}
	v, _ := t.visitors.Get().(*visitor)
	if v == nil {
		v = new(visitor)
	}
	defer t.visitors.Put(v)
	v.read(p.groups)
	if !p.first {
		v.skip(p.after)
	}
	for list := p.list; len(list) > 0; {
		n := v.take(t, list)
		list = list[n:]
		if p.cut && len(list) == 0 {
			v.chunk[n-1].below = nil
		}
		for i := range v.chunk[:n] {
			k := &v.chunk[i]
			if !v.before(k.name, visit) || !visit(k.name, k.value, k.ok, k.below) {
				return false
			}
		}
	}
	if !p.rest {
		return true
	}
	for f := least(v.fields); f != nil; f = least(v.fields) {
		if !f.visit(visit) {
			return false
		}
	}
	return true
}

// read asks all groups for their values.
func (v *visitor) read(groups *group) {
	v.fields, v.values = v.fields[:0], v.values[:0]
	n := 0
	for g := groups; g != nil; g = g.next {
		n += len(g.fields)
	}
	if n > cap(v.values) {
		v.values = make([]float64, n)
	}
	v.values = v.values[:n]
	clear(v.values)
	rest := v.values
	for g := groups; g != nil; g = g.next {
		end := len(g.fields)
		c := groupCursor{group: g, values: rest[:end:end]}
		rest = rest[end:]
		(*g.fn.Load())(c.values)
		v.fields = append(v.fields, c)
	}
}

// take reads what the first scopes of list have, and returns of how many. Each of them is
// somewhere else in memory, so that it takes as long to wait for one as for all if nothing
// else is done between them.
func (v *visitor) take(t *Tree, list []*Scope) int {
	n := min(len(list), visitChunk)
	t.mu.RLock()
	for i, k := range list[:n] {
		at := visited{name: k.name, metric: k.metric}
		if k.kids != nil {
			at.below = k
		}
		v.chunk[i] = at
	}
	t.mu.RUnlock()
	for i := range v.chunk[:n] {
		if k := &v.chunk[i]; k.metric != nil {
			k.value, k.ok = k.metric.read()
		}
	}
	return n
}

// skip passes over the fields of groups whose names are not behind name.
func (v *visitor) skip(name string) {
	for i := range v.fields {
		for c := &v.fields[i]; c.field < len(c.fields) && c.name() <= name; c.field++ {
		}
	}
}

// before visits the fields of groups whose names are not behind name.
func (v *visitor) before(name string, visit func(name string, m Metric, ok bool, below *Scope) bool) bool {
	for f := least(v.fields); f != nil && f.name() <= name; f = least(v.fields) {
		if !f.visit(visit) {
			return false
		}
	}
	return true
}
