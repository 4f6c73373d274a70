package telemetry

import (
	"iter"
	"log/slog"
	"slices"
	"strings"
)

// Scope is a node of the tree. It may carry one metric and have scopes below it
// at the same time: "failures" is a counter with counters below it. An element of
// a path is any string; one that contains a slash ("0.0.0.0/4140", "svc/web") is
// still one element.
//
// A Scope is safe for concurrent use. A nil Scope hands out nil scopes and nil
// handles, all of which do nothing.
type Scope struct {
	// There are a hundred scopes for a name that is routed to: they are as small as
	// they can be, and what only some have is in kids.
	parent *Scope
	name   string
	metric metric // under Tree.mu
	kids   *kids  // under Tree.mu, but for the one of the root, which stays
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
	t := s.tree()
	for _, e := range elems {
		s = s.kid(t, e)
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
	return install(s.Scope(elems...), newStat)
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
	t := s.tree()
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.parent == nil {
		s.kids.list, s.kids.groups, s.metric = nil, nil, nil
		s.kids.shared.Store(false)
		return
	}
	k := s.parent.kids
	if i, ok := k.search(s.name); ok && k.list[i] == s {
		k.own(0)
		k.list = slices.Delete(k.list, i, i+1)
	}
}

// Name returns the last element of the path of s, empty for the root.
func (s *Scope) Name() string {
	if s == nil {
		return ""
	}
	return s.name
}

// Each calls visit with what is directly below s, in the order of names: with the name,
// the metric it carries if it carries one, and the scope if there is something below that,
// nil otherwise. Other than in All the Summary of a stat is nil before its first window has
// closed. No lock is held while visit or a gauge runs.
func (s *Scope) Each(visit func(name string, m Metric, ok bool, below *Scope)) {
	if s != nil {
		s.each(s.tree(), func(name string, m Metric, ok bool, below *Scope) bool {
			visit(name, m, ok, below)
			return true
		})
	}
}

// Metric returns what s carries itself, false if that is nothing. Other than in All
// the Summary of a stat is nil before its first window has closed.
func (s *Scope) Metric() (Metric, bool) {
	if s == nil {
		return Metric{}, false
	}
	return s.read(s.tree())
}

// All yields the metrics of s and below with their paths relative to s, every
// scope before the scopes in it and those sorted by name. Stats that have not
// seen the end of a window are left out. The path is valid during the iteration
// step only. No lock is held while the loop body or a gauge runs.
func (s *Scope) All() iter.Seq2[[]string, Metric] {
	return func(yield func([]string, Metric) bool) {
		if s == nil {
			return
		}
		path := make([]string, 0, 16)
		if m, ok := s.Metric(); ok && !m.early() && !yield(path, m) {
			return
		}
		s.walk(s.tree(), path, yield)
	}
}

func (s *Scope) walk(t *Tree, path []string, yield func([]string, Metric) bool) bool {
	return s.each(t, func(name string, m Metric, ok bool, below *Scope) bool {
		at := append(path, name) //nolint:gocritic // siblings take turns with the memory behind path
		if ok && !m.early() && !yield(at, m) {
			return false
		}
		return below == nil || below.walk(t, at, yield)
	})
}

// read is Metric for those who know the tree.
func (s *Scope) read(t *Tree) (Metric, bool) {
	t.mu.RLock()
	m := s.metric
	t.mu.RUnlock()
	if m == nil {
		return Metric{}, false
	}
	return m.read()
}

// tree returns the tree that s is or was part of.
func (s *Scope) tree() *Tree {
	for s.parent != nil {
		s = s.parent
	}
	return s.kids.tree
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
	t := at.tree()
	t.mu.Lock()
	defer t.mu.Unlock()
	if at.metric == nil {
		at.metric = build(at)
	}
	m, ok := at.metric.(M)
	if !ok {
		m = build(at)
		t.log.Warn("telemetry: metric is already of another kind and stays so",
			slog.String("metric", strings.Join(at.path(), "/")))
	}
	return m
}
