package consul

import (
	"context"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// Attempt is one attempt to write, whose answer may have been lost.
type Attempt struct {
	s  *Store
	at place
	w  write
}

// NewAttempt returns an attempt from where the namespace is now.
func NewAttempt(ctx context.Context, s *Store, namespace, id string, d dtab.Dtab, deletes bool) (*Attempt, error) {
	at, err := s.place(ctx, namespace)
	return &Attempt{s, at, write{namespace: namespace, dtab: d, deletes: deletes, id: id}}, err
}

// Commit makes the attempt.
func (a *Attempt) Commit(ctx context.Context) (v namerd.Version, made bool, err error) {
	index, made, err := a.s.commit(ctx, a.w, a.at)
	if !made {
		return "", false, err
	}
	return a.w.made(index), true, nil
}

// As returns an attempt from the same place with another id.
func (a *Attempt) As(id string) *Attempt {
	b := *a
	b.w.id = id
	return &b
}

// Made finds out whether it was made.
func (a *Attempt) Made(ctx context.Context) (v namerd.Version, made bool, err error) {
	now, err := a.s.place(ctx, a.w.namespace)
	if err != nil {
		return "", false, err
	}
	return a.s.made(ctx, a.w, a.at, now)
}
