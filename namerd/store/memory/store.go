package memory

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/bells"
	"github.com/weft-mesh/weft/naming"
)

// Store is a namerd.Store. It takes namespaces of 1 to 1024 bytes of UTF-8. It is safe
// for concurrent use. Close it.
type Store struct {
	of    string // of its revisions
	bells bells.Bells
	names *naming.Shared[allNames, []string]
	dtabs *naming.Shared[oneDtab, namerd.Stored]

	mu       sync.RWMutex
	closed   bool
	revision uint64
	entries  map[string]*entry
	graves   []string // the deleted ones, the oldest first
	floor    uint64   // where namespaces begin to count: above all that were forgotten
}

var _ namerd.Store = (*Store)(nil)

// allNames and oneDtab are what is watched.
type (
	allNames struct{}
	oneDtab  string
)

func (allNames) String() string  { return "the namespaces in memory" }
func (n oneDtab) String() string { return "the dtab " + string(n) + " in memory" }

// New returns a Store.
func New(o Options) *Store {
	s := &Store{of: rand.Text(), entries: map[string]*entry{}}
	// What is in memory costs nothing to watch anew.
	shared := naming.SharedOptions{Linger: -1, Local: true}
	s.names = naming.NewShared(naming.WatchFunc[allNames, []string](s.watchNames), shared)
	s.dtabs = naming.NewShared(naming.WatchFunc[oneDtab, namerd.Stored](s.watchDtab), shared)
	for _, ns := range slices.Sorted(maps.Keys(o.Namespaces)) {
		s.apply(ns, write{dtab: o.Namespaces[ns]})
	}
	return s
}

// Close implements io.Closer. What observers have stands still.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	return errors.Join(s.names.Close(), s.dtabs.Close())
}

// Watches implements naming.Reporter.
func (s *Store) Watches() []naming.WatchStatus {
	return append(s.names.Watches(), s.dtabs.Watches()...)
}

// List implements namerd.Reader.
func (s *Store) List(ctx context.Context) ([]string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	return s.list(), nil
}

// Get implements namerd.Reader.
func (s *Store) Get(ctx context.Context, namespace string) (namerd.Stored, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return namerd.Stored{}, err
	}
	return s.stored(namespace), nil
}

// History implements namerd.Reader.
func (s *Store) History(ctx context.Context, namespace string, limit int) ([]namerd.Change, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	e := s.entries[namespace]
	if e == nil || limit <= 0 {
		return nil, nil
	}
	last := slices.Clone(e.history[max(0, len(e.history)-limit):])
	slices.Reverse(last)
	return last, nil
}

// Namespaces implements namerd.Reader.
func (s *Store) Namespaces(ctx context.Context) weft.Source[naming.State[[]string]] {
	return s.names.Observe(ctx, allNames{})
}

// Observe implements namerd.Reader.
func (s *Store) Observe(ctx context.Context, namespace string) weft.Source[naming.State[namerd.Stored]] {
	return s.dtabs.Observe(ctx, oneDtab(namespace))
}

func (s *Store) watchNames(ctx context.Context, _ allNames, set func(naming.State[[]string])) error {
	rung, leave := s.bells.Hang(allNames{})
	defer leave()
	for {
		s.mu.RLock()
		list := s.list()
		s.mu.RUnlock()
		set(naming.Ok(list))
		select {
		case <-rung:
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *Store) watchDtab(ctx context.Context, n oneDtab, set func(naming.State[namerd.Stored])) error {
	rung, leave := s.bells.Hang(n)
	defer leave()
	for {
		s.mu.RLock()
		st := s.stored(string(n))
		s.mu.RUnlock()
		set(naming.Ok(st).At(show(st.Version)))
		select {
		case <-rung:
		case <-ctx.Done():
			return nil
		}
	}
}

// usable says why the store cannot be used. The mutex is held.
func (s *Store) usable(ctx context.Context) error {
	if s.closed {
		return naming.ErrClosed
	}
	return context.Cause(ctx)
}

// list returns the namespaces. The mutex is held.
func (s *Store) list() []string {
	list := make([]string, 0, len(s.entries)-len(s.graves))
	for ns, e := range s.entries {
		if e.exists {
			list = append(list, ns)
		}
	}
	slices.Sort(list)
	return list
}

// stored returns what there is under a namespace. The mutex is held.
func (s *Store) stored(namespace string) namerd.Stored {
	e := s.entries[namespace]
	if e == nil {
		return namerd.Stored{Revision: namerd.Revision{Of: s.of, N: s.revision}}
	}
	st := namerd.Stored{Exists: e.exists, Revision: namerd.Revision{Of: s.of, N: e.revision}}
	if e.exists {
		st.Dtab, st.Version = e.dtab, e.version()
	}
	return st
}

// Create implements namerd.Writer.
func (s *Store) Create(ctx context.Context, namespace string, d dtab.Dtab, note namerd.Note) (namerd.Version, error) {
	return s.write(ctx, namespace, write{dtab: d, note: note, only: func(cur *entry) error {
		if cur.exists {
			return namerd.ErrExists
		}
		return nil
	}})
}

// Update implements namerd.Writer.
func (s *Store) Update(ctx context.Context, namespace string, d dtab.Dtab, v namerd.Version, note namerd.Note) (namerd.Version, error) {
	return s.write(ctx, namespace, write{dtab: d, note: note, only: func(cur *entry) error { return cur.mustHave(v) }})
}

// Put implements namerd.Writer.
func (s *Store) Put(ctx context.Context, namespace string, d dtab.Dtab, note namerd.Note) (namerd.Version, error) {
	return s.write(ctx, namespace, write{dtab: d, note: note})
}

// Delete implements namerd.Writer.
func (s *Store) Delete(ctx context.Context, namespace string, v namerd.Version, note namerd.Note) error {
	_, err := s.write(ctx, namespace, write{deletes: true, note: note, only: func(cur *entry) error {
		if v == "" && cur.exists {
			return nil
		}
		return cur.mustHave(v)
	}})
	return err
}
