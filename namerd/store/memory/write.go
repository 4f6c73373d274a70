package memory

import (
	"context"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// write is one write to a namespace.
type write struct {
	dtab    dtab.Dtab
	deletes bool
	note    namerd.Note
	only    func(cur *entry) error // an error of namerd if it is not to be made; nil makes it
}

func (s *Store) write(ctx context.Context, namespace string, w write) (namerd.Version, error) {
	if err := checkName(namespace); err != nil {
		return "", &namerd.Error{Is: namerd.ErrInvalid, Namespace: namespace, Detail: err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return "", err
	}
	if w.only != nil {
		cur := s.entries[namespace]
		if cur == nil {
			cur = &entry{}
		}
		if err := w.only(cur); err != nil {
			return "", &namerd.Error{Is: err, Namespace: namespace}
		}
	}
	return s.apply(namespace, w), nil
}

// apply makes a write. The mutex is held.
func (s *Store) apply(namespace string, w write) namerd.Version {
	e := s.entries[namespace]
	if e == nil {
		e = &entry{count: s.floor}
		s.entries[namespace] = e
	}
	existed := e.exists
	s.revision++
	e.count++
	e.revision, e.exists, e.dtab = s.revision, !w.deletes, slices.Clone(w.dtab)
	c := namerd.Change{Note: w.note, At: time.Now(), Deleted: w.deletes, Dtab: e.dtab}
	if e.exists {
		c.Version = e.version()
	}
	if len(e.history) == maxHistory {
		e.history = slices.Delete(e.history, 0, 1)
	}
	e.history = append(e.history, c)
	if e.exists != existed {
		s.bury(namespace, e)
		s.bells.Ring(allNames{})
	}
	s.bells.Ring(oneDtab(namespace))
	return c.Version
}

// bury keeps the graves after a namespace was made or deleted. The mutex is held.
func (s *Store) bury(namespace string, e *entry) {
	if e.exists {
		s.graves = slices.DeleteFunc(s.graves, func(g string) bool { return g == namespace })
		return
	}
	s.graves = append(s.graves, namespace)
	if len(s.graves) > maxGraves {
		oldest := s.graves[0]
		s.floor = max(s.floor, s.entries[oldest].count)
		delete(s.entries, oldest)
		s.graves = slices.Delete(s.graves, 0, 1)
	}
}

// checkName says what is wrong with the name of a namespace. It may be whatever can
// follow /api/1/dtabs/ in a URL.
func checkName(namespace string) error {
	switch {
	case namespace == "":
		return errors.New("it must not be empty")
	case len(namespace) > 1024:
		return errors.New("it must not have more than 1024 bytes")
	case !utf8.ValidString(namespace):
		return errors.New("it must be UTF-8")
	}
	return nil
}
