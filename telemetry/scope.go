package telemetry

import (
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
)

// Scope is a node of the tree. It may carry one metric and have scopes below it
// at the same time: "failures" is a counter with counters below it. An element of
// a path is any string; one that contains a slash ("0.0.0.0/4140", "svc/web") is
// still one element.
//
// A Scope is safe for concurrent use. A nil Scope hands out nil scopes and nil
// handles, all of which do nothing.
type Scope struct {
	tree   *Tree
	parent *Scope
	name   string

	mu     sync.Mutex
	kids   map[string]*Scope
	order  []*Scope // kids sorted by name; nil when stale, never written to once read
	metric metric
	groups *group
}

// metric is what a scope carries: *Counter, *CounterFunc, *Gauge, *UpDown, *Stat or a field
// of its parent's group.
type metric interface {
	// read reports false when there is nothing to show yet.
	read() (Metric, bool)
}

// Scope returns the scope at the path elems below s, made if need be.
func (s *Scope) Scope(elems ...string) *Scope {
	if s == nil {
		return nil
	}
	for _, e := range elems {
		s = s.kid(e)
	}
	return s
}

// Counter returns the counter at the path elems below s, made if need be.
func (s *Scope) Counter(elems ...string) *Counter {
	if s == nil {
		return nil
	}
	return install(s.Scope(elems...), func(*Scope) *Counter { return new(Counter) })
}

// UpDown returns the settable gauge at the path elems below s, made if need be.
func (s *Scope) UpDown(elems ...string) *UpDown {
	if s == nil {
		return nil
	}
	return install(s.Scope(elems...), func(*Scope) *UpDown { return new(UpDown) })
}

// Stat returns the stat at the path elems below s, made if need be.
func (s *Scope) Stat(elems ...string) *Stat {
	if s == nil {
		return nil
	}
	return install(s.Scope(elems...), func(at *Scope) *Stat { return &Stat{buckets: at.tree.buckets} })
}

// Gauge makes read the gauge called name below s. Read is called by every
// exporter that walks the tree, concurrently, and must not block. A gauge made
// again with the same name reads the newest function.
func (s *Scope) Gauge(name string, read func() float64) *Gauge {
	if s == nil {
		return nil
	}
	g := install(s.Scope(name), func(*Scope) *Gauge { return new(Gauge) })
	g.fn.Store(&read)
	return g
}

// Prune removes s and everything below it from the tree. Handles and scopes that
// are still held keep working, unseen; asking for the same path again starts a
// fresh scope. Pruning the root empties the tree.
func (s *Scope) Prune() {
	if s == nil {
		return
	}
	if s.parent == nil {
		s.mu.Lock()
		s.kids, s.order, s.metric, s.groups = nil, nil, nil, nil
		s.mu.Unlock()
		return
	}
	s.parent.mu.Lock()
	defer s.parent.mu.Unlock()
	if s.parent.kids[s.name] == s {
		delete(s.parent.kids, s.name)
		s.parent.order = nil
	}
}

// All yields the metrics of s and below with their paths relative to s, every
// scope before the scopes in it and those sorted by name. Stats that have not
// seen the end of a window are left out. The path is valid during the iteration
// step only. No lock is held while the loop body or a gauge runs.
func (s *Scope) All() iter.Seq2[[]string, Metric] {
	return func(yield func([]string, Metric) bool) {
		if s != nil {
			s.walk(make([]string, 0, 16), yield)
		}
	}
}

func (s *Scope) walk(path []string, yield func([]string, Metric) bool) bool {
	if m, ok := s.read(); ok && !yield(path, m) {
		return false
	}
	for _, k := range s.sorted() {
		if !k.walk(append(path, k.name), yield) {
			return false
		}
	}
	return true
}

func (s *Scope) read() (Metric, bool) {
	s.mu.Lock()
	m := s.metric
	s.mu.Unlock()
	if m == nil {
		return Metric{}, false
	}
	return m.read()
}

func (s *Scope) kid(name string) *Scope {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.kids[name]; k != nil {
		return k
	}
	if k := s.grouped(name); k != nil {
		return k
	}
	if s.kids == nil {
		s.kids = make(map[string]*Scope)
	}
	// The name is cloned since it may be a piece of a request's header block.
	k := &Scope{tree: s.tree, parent: s, name: strings.Clone(name)}
	s.kids[k.name] = k
	s.order = nil
	return k
}

// sorted returns the scopes below s in the order of their names, with those that stand
// for the fields of groups. The slice is shared and must not be written to.
func (s *Scope) sorted() []*Scope {
	s.mu.Lock()
	order, groups := s.made(), s.groups
	s.mu.Unlock()
	if groups != nil {
		return s.withGroups(order, groups)
	}
	return order
}

// made is sorted without groups. The caller holds mu.
func (s *Scope) made() []*Scope {
	if s.order == nil && len(s.kids) > 0 {
		s.order = make([]*Scope, 0, len(s.kids))
		for _, k := range s.kids {
			s.order = append(s.order, k)
		}
		slices.SortFunc(s.order, func(a, b *Scope) int { return strings.Compare(a.name, b.name) })
	}
	return s.order
}

func (s *Scope) closeWindow(scratch []uint32) {
	s.mu.Lock()
	stat, _ := s.metric.(*Stat)
	kids := s.made()
	s.mu.Unlock()
	if stat != nil {
		stat.closeWindow(scratch)
	}
	for _, k := range kids {
		k.closeWindow(scratch)
	}
}

// path returns the elements from the root to s, for messages.
func (s *Scope) path() []string {
	if s.parent == nil {
		return nil
	}
	return append(s.parent.path(), s.name)
}

// install returns the metric that at carries, or makes it. When at carries
// another kind, the caller gets a metric that works and that nobody sees: a
// clash of names must not take a request down.
func install[M metric](at *Scope, build func(*Scope) M) M {
	at.mu.Lock()
	defer at.mu.Unlock()
	if at.metric == nil {
		at.metric = build(at)
	}
	m, ok := at.metric.(M)
	if !ok {
		m = build(at)
		at.tree.log.Warn("telemetry: metric is already of another kind and stays so",
			slog.String("metric", strings.Join(at.path(), "/")))
	}
	return m
}
