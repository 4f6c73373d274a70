package file

import (
	"context"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

// Create implements namerd.Writer.
func (s *Store) Create(ctx context.Context, namespace string, d dtab.Dtab, note namerd.Note) (namerd.Version, error) {
	return s.write(ctx, &op{namespace: namespace, dtab: d, note: note, only: func(_ record, exists bool) error {
		if exists {
			return namerd.ErrExists
		}
		return nil
	}})
}

// Update implements namerd.Writer.
func (s *Store) Update(ctx context.Context, namespace string, d dtab.Dtab, v namerd.Version, note namerd.Note) (namerd.Version, error) {
	return s.write(ctx, &op{namespace: namespace, dtab: d, note: note, only: func(cur record, exists bool) error {
		return mustHave(cur, exists, v)
	}})
}

// Put implements namerd.Writer.
func (s *Store) Put(ctx context.Context, namespace string, d dtab.Dtab, note namerd.Note) (namerd.Version, error) {
	return s.write(ctx, &op{namespace: namespace, dtab: d, note: note, only: func(record, bool) error { return nil }})
}

// Delete implements namerd.Writer.
func (s *Store) Delete(ctx context.Context, namespace string, v namerd.Version, note namerd.Note) error {
	_, err := s.write(ctx, &op{namespace: namespace, deletes: true, note: note, only: func(cur record, exists bool) error {
		if v == "" && exists {
			return nil
		}
		return mustHave(cur, exists, v)
	}})
	return err
}

// mustHave returns an error of namerd unless a namespace exists at version v.
func mustHave(cur record, exists bool, v namerd.Version) error {
	switch {
	case !exists:
		return namerd.ErrMissing
	case v != cur.version():
		return namerd.ErrMismatch
	}
	return nil
}

// write makes a write and waits for the disk. If ctx ends meanwhile the write may
// still be made.
func (s *Store) write(ctx context.Context, o *op) (namerd.Version, error) {
	o.ctx, o.text, o.at, o.done = ctx, o.dtab.Exact(), time.Now(), make(chan struct{})
	if err := o.check(); err != nil {
		return "", err
	}
	if err := s.usable(ctx); err != nil {
		return "", err
	}
	select {
	case s.ops <- o:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case <-s.closing:
		return "", naming.ErrClosed
	}
	select {
	case <-o.done:
		return o.version, o.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
