package file

import (
	"context"
	"errors"
	"fmt"
	"sync"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/bells"
	"github.com/weft-mesh/weft/naming"
)

// Store is a namerd.Store. It takes namespaces of 1 to 1024 bytes of UTF-8, and dtabs of
// up to 8 MiB of text. It is safe for concurrent use. Close it.
type Store struct {
	db    *bolt.DB
	image *image
	bells bells.Bells
	names *naming.Shared[allNames, []string]
	dtabs *naming.Shared[oneDtab, namerd.Stored]

	ops     chan *op
	closing chan struct{} // closed by Close
	close   func() error
	writing sync.WaitGroup // run
}

var _ namerd.Store = (*Store)(nil)

// allNames and oneDtab are what is watched.
type (
	allNames struct{}
	oneDtab  string
)

func (allNames) String() string  { return "the namespaces in the file" }
func (n oneDtab) String() string { return "the dtab " + string(n) + " in the file" }

func newStore(db *bolt.DB) (*Store, error) {
	s := &Store{db: db, ops: make(chan *op), closing: make(chan struct{})}
	err := db.View(func(tx *bolt.Tx) error {
		t, err := newTables(tx)
		if err == nil {
			s.image, err = newImage(t)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	// What is in memory costs nothing to watch anew.
	shared := naming.SharedOptions{Linger: -1, Local: true}
	s.names = naming.NewShared(naming.WatchFunc[allNames, []string](s.watchNames), shared)
	s.dtabs = naming.NewShared(naming.WatchFunc[oneDtab, namerd.Stored](s.watchDtab), shared)
	s.close = sync.OnceValue(s.shut)
	s.writing.Go(s.run)
	return s, nil
}

// Close implements io.Closer. Writes that are being made are finished, those that wait
// fail. What observers have stands still. The file can be opened again.
func (s *Store) Close() error { return s.close() }

func (s *Store) shut() error {
	close(s.closing)
	s.writing.Wait()
	return errors.Join(s.names.Close(), s.dtabs.Close(), s.db.Close())
}

// Watches implements naming.Reporter.
func (s *Store) Watches() []naming.WatchStatus {
	return append(s.names.Watches(), s.dtabs.Watches()...)
}

// List implements namerd.Reader.
func (s *Store) List(ctx context.Context) ([]string, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	return s.image.list(), nil
}

// Get implements namerd.Reader.
func (s *Store) Get(ctx context.Context, namespace string) (namerd.Stored, error) {
	if err := s.usable(ctx); err != nil {
		return namerd.Stored{}, err
	}
	return s.image.get(namespace)
}

// History implements namerd.Reader.
func (s *Store) History(ctx context.Context, namespace string, limit int) (changes []namerd.Change, err error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	err = s.db.View(func(tx *bolt.Tx) error {
		t, err := newTables(tx)
		if err == nil {
			changes, err = t.changes(namespace, limit)
		}
		return err
	})
	switch {
	case errors.Is(err, bolterrors.ErrDatabaseNotOpen):
		return nil, naming.ErrClosed
	case err != nil:
		return nil, fmt.Errorf("file: %s: namespace %s: %w", s.db.Path(), namespace, err)
	}
	return changes, nil
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
		set(naming.Ok(s.image.list()))
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
		if st, err := s.image.get(string(n)); err != nil {
			set(naming.Failed[namerd.Stored](err))
		} else {
			set(naming.Ok(st).At(show(st.Version)))
		}
		select {
		case <-rung:
		case <-ctx.Done():
			return nil
		}
	}
}

// usable says why the store cannot be used.
func (s *Store) usable(ctx context.Context) error {
	select {
	case <-s.closing:
		return naming.ErrClosed
	default:
		return context.Cause(ctx)
	}
}
