package storetest

import (
	"maps"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// model is what a store must have.
type model struct {
	group   group
	entries map[string]*modelEntry
}

type modelEntry struct {
	version namerd.Version // empty: it does not exist
	dtab    dtab.Dtab
	had     []namerd.Version
	history []namerd.Change // the latest first
}

func (m *model) entry(ns string) *modelEntry {
	e := m.entries[ns]
	if e == nil {
		e = &modelEntry{}
		m.entries[ns] = e
	}
	return e
}

// names returns the namespaces that exist.
func (m *model) names() []string {
	names := []string{}
	for _, ns := range slices.Sorted(maps.Keys(m.entries)) {
		if m.entries[ns].version != "" {
			names = append(names, ns)
		}
	}
	return names
}

func (e *modelEntry) mayCreate() error {
	if e.version != "" {
		return namerd.ErrExists
	}
	return nil
}

func (e *modelEntry) mayUpdate(v namerd.Version) error {
	switch {
	case e.version == "":
		return namerd.ErrMissing
	case e.version != v:
		return namerd.ErrMismatch
	}
	return nil
}

func (e *modelEntry) mayDelete(v namerd.Version) error {
	if v == "" && e.version != "" {
		return nil
	}
	return e.mayUpdate(v)
}

// wrote checks the outcome of a write and keeps it.
func (m *model) wrote(rt *rapid.T, ns string, d dtab.Dtab, v namerd.Version, note namerd.Note, err, want error) {
	if want != nil {
		require.ErrorIs(rt, err, want)
		require.Empty(rt, v)
		return
	}
	require.NoError(rt, err)
	e := m.entry(ns)
	require.NotEmpty(rt, v)
	require.NotContains(rt, e.had, v, "a version repeats")
	e.version, e.dtab, e.had = v, d, append(e.had, v)
	e.history = append([]namerd.Change{{Note: note, Version: v, Dtab: d}}, e.history...)
}

// deleted is wrote for deletions.
func (m *model) deleted(rt *rapid.T, h Harness, ns string, note namerd.Note, err, want error) {
	if want != nil {
		require.ErrorIs(rt, err, want)
		return
	}
	require.NoError(rt, err)
	e := m.entry(ns)
	e.version, e.dtab = "", nil
	e.history = append([]namerd.Change{{Note: note, Deleted: true}}, e.history...)
	if h.DeletedWithHistory {
		e.history = nil
	}
}

// check compares all handles with the model.
func (m *model) check(rt *rapid.T, h Harness, handles []namerd.Store) {
	for _, s := range handles {
		list, err := s.List(rt.Context())
		require.NoError(rt, err)
		require.Equal(rt, m.names(), m.group.of(list))
		for ns, e := range m.entries {
			requireStored(rt, s, ns, namerd.Stored{Exists: e.version != "", Version: e.version, Dtab: e.dtab})
			if h.DeletedWithHistory && e.version == "" {
				continue
			}
			changes, err := s.History(rt.Context(), ns, h.History)
			require.NoError(rt, err)
			require.Len(rt, changes, min(len(e.history), h.History))
			for i, c := range changes {
				w := e.history[i]
				require.Equal(rt, w.Dtab.String(), c.Dtab.String())
				w.At, c.Dtab, w.Dtab = c.At, nil, nil
				require.Equal(rt, w, c)
			}
		}
	}
}
