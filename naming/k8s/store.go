package k8s

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/weft-mesh/weft"
)

// store holds the objects of one watch, in groups. A group's observers are woken up
// by changes of its objects only. It is safe for concurrent use.
type store[T any] struct {
	group func(object[T]) string

	mu        sync.Mutex
	objects   map[objectKey]object[T]
	groups    map[string]map[objectKey]struct{}
	observed  map[string]*observed[T]
	malformed map[objectKey]string // version of what was not, or not wholly, understood
}

// observed is a group that somebody observes.
type observed[T any] struct {
	users int
	cur   *weft.Var[[]object[T]]
}

func newStore[T any](group func(object[T]) string) *store[T] {
	return &store[T]{
		group: group, objects: map[objectKey]object[T]{}, groups: map[string]map[objectKey]struct{}{},
		observed: map[string]*observed[T]{}, malformed: map[objectKey]string{},
	}
}

// observe returns the objects of a group, in the order of their keys, kept up to
// date until release is called.
func (s *store[T]) observe(group string) (src weft.Source[[]object[T]], release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.observed[group]
	if o == nil {
		o = &observed[T]{cur: weft.NewVar(s.members(group))}
		s.observed[group] = o
	}
	o.users++
	return o.cur, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if o.users--; o.users == 0 {
			delete(s.observed, group)
		}
	}
}

// members returns the objects of a group. The mutex is held.
func (s *store[T]) members(group string) []object[T] {
	keys := slices.SortedFunc(maps.Keys(s.groups[group]), func(a, b objectKey) int {
		return compareKeys(a.namespace, a.name, b.namespace, b.name)
	})
	all := make([]object[T], len(keys))
	for i, k := range keys {
		all[i] = s.objects[k]
	}
	return all
}

// put adds or replaces an object.
func (s *store[T]) put(o object[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := map[string]struct{}{}
	s.insert(o, changed)
	s.publish(changed)
}

// remove takes an object away.
func (s *store[T]) remove(k objectKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := map[string]struct{}{}
	s.drop(k, changed)
	delete(s.malformed, k)
	s.publish(changed)
}

// replace makes the store hold these objects, and those of the present ones whose
// new form is not understood.
func (s *store[T]) replace(all []object[T], unread []objectKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := map[string]struct{}{}
	stay := make(map[objectKey]struct{}, len(all)+len(unread))
	for _, k := range unread {
		stay[k] = struct{}{}
	}
	for _, o := range all {
		stay[o.key] = struct{}{}
		if old, ok := s.objects[o.key]; !ok || old.version != o.version || o.version == "" {
			s.insert(o, changed)
		}
	}
	for k := range s.objects {
		if _, ok := stay[k]; !ok {
			s.drop(k, changed)
		}
	}
	maps.DeleteFunc(s.malformed, func(k objectKey, _ string) bool {
		_, ok := stay[k]
		return !ok
	})
	s.publish(changed)
}

func (s *store[T]) insert(o object[T], changed map[string]struct{}) {
	s.drop(o.key, changed)
	g := s.group(o)
	s.objects[o.key] = o
	if s.groups[g] == nil {
		s.groups[g] = map[objectKey]struct{}{}
	}
	s.groups[g][o.key] = struct{}{}
	changed[g] = struct{}{}
	if len(o.problems) == 0 {
		delete(s.malformed, o.key)
	}
}

func (s *store[T]) drop(k objectKey, changed map[string]struct{}) {
	old, ok := s.objects[k]
	if !ok {
		return
	}
	g := s.group(old)
	delete(s.objects, k)
	delete(s.groups[g], k)
	if len(s.groups[g]) == 0 {
		delete(s.groups, g)
	}
	changed[g] = struct{}{}
}

func (s *store[T]) publish(changed map[string]struct{}) {
	for g := range changed {
		if o := s.observed[g]; o != nil {
			o.cur.Store(s.members(g))
		}
	}
}

// blame notes that this version of an object is not, or not wholly, understood, and
// reports whether that is news.
func (s *store[T]) blame(k objectKey, version string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.malformed[k]
	s.malformed[k] = version
	return !ok || known != version
}

// view is a store as a value that readers compare by its number.
type view[T any] struct {
	id    uint64
	store *store[T]
}

// String says how many objects there are, for the status of the watch.
func (v view[T]) String() string {
	v.store.mu.Lock()
	defer v.store.mu.Unlock()
	text := fmt.Sprintf("%d objects", len(v.store.objects))
	if n := len(v.store.malformed); n > 0 {
		text += fmt.Sprintf(", %d malformed", n)
	}
	return text
}
