package telemetry

import (
	"cmp"
	"slices"
	"strings"
	"sync/atomic"
)

// kids are what is in a scope. It is used with Tree.mu held.
type kids struct {
	list   []*Scope    // sorted by name
	shared atomic.Bool // somebody reads list without a lock: it must not be written to
	groups *group
	tree   *Tree // of the root's
}

// search returns where name is in the list or belongs.
func (k *kids) search(name string) (int, bool) {
	return slices.BinarySearchFunc(k.list, name, func(s *Scope, name string) int { return strings.Compare(s.name, name) })
}

// own makes the list one that may be written to, with room for more.
func (k *kids) own(more int) {
	n := len(k.list) + more
	if !k.shared.Load() && n <= cap(k.list) {
		return
	}
	if n > cap(k.list) {
		n += n / 4
	}
	k.list = append(make([]*Scope, 0, n), k.list...)
	k.shared.Store(false)
}

func (s *Scope) kid(t *Tree, name string) *Scope {
	t.mu.RLock()
	k := s.lookup(name)
	t.mu.RUnlock()
	if k != nil {
		return k
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if k := s.lookup(name); k != nil {
		return k
	}
	if s.kids == nil {
		s.kids = &kids{}
	}
	k = &Scope{parent: s, name: t.intern(name)}
	s.kids.own(1)
	i, _ := s.kids.search(name)
	s.kids.list = slices.Insert(s.kids.list, i, k)
	return k
}

// lookup returns the scope called name in s, nil if there is none; for a field of a group
// one that is made for the occasion. It is called with a lock of Tree.mu held.
func (s *Scope) lookup(name string) *Scope {
	if s.kids == nil {
		return nil
	}
	if i, ok := s.kids.search(name); ok {
		return s.kids.list[i]
	}
	for g := s.kids.groups; g != nil; g = g.next {
		i, ok := slices.BinarySearchFunc(g.fields, name, func(f Field, name string) int { return cmp.Compare(f.Name, name) })
		if ok {
			return &Scope{parent: s, name: name, metric: groupMetric{g, i}}
		}
	}
	return nil
}

// read returns the scopes and groups in s, neither of which must be written to.
func (s *Scope) below(t *Tree) ([]*Scope, *group) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if s.kids == nil {
		return nil, nil
	}
	if len(s.kids.list) > 0 && !s.kids.shared.Load() {
		s.kids.shared.Store(true)
	}
	return s.kids.list, s.kids.groups
}

func (s *Scope) closeWindow(t *Tree) {
	t.mu.RLock()
	stat, _ := s.metric.(*Stat)
	t.mu.RUnlock()
	if stat != nil {
		stat.closeWindow(t.scratch)
	}
	list, _ := s.below(t)
	for _, k := range list {
		k.closeWindow(t)
	}
}
