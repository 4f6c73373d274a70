package zk

import (
	"context"
	"errors"
	"fmt"
	"slices"

	zoo "github.com/go-zookeeper/zk"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/turns"
	"github.com/weft-mesh/weft/naming"
)

// Store is a namerd.Store. It is safe for concurrent use. Close it.
type Store struct {
	opts     Options
	ensemble *ensemble
	layout   layout
	turns    turns.Turns[*zoo.Stat] // nil is that there is no such namespace
	prune    pruning
	names    *naming.Shared[allNames, []string]
	dtabs    *naming.Shared[oneDtab, namerd.Stored]
}

var _ namerd.Store = (*Store)(nil)

// allNames and oneDtab are what is watched.
type (
	allNames struct{ prefix string }
	oneDtab  struct{ path, namespace string }
)

func (n allNames) String() string { return "the znodes below " + n.prefix }
func (n oneDtab) String() string  { return "the znode " + n.path }

// New returns a Store. It begins to connect and does not wait for that.
func New(c Config, o Options) (*Store, error) {
	c, acl, err := c.checked()
	if err != nil {
		return nil, err
	}
	o = o.withDefaults()
	s := &Store{opts: o, ensemble: newEnsemble(c, acl, o.Logger), layout: newLayout(c.PathPrefix)}
	s.prune.keep, s.prune.every = maxGraves, pruneEvery
	shared := naming.SharedOptions{Linger: o.Linger, Logger: o.Logger}
	s.names = naming.NewShared(naming.WatchFunc[allNames, []string](s.watchNames), shared)
	s.dtabs = naming.NewShared(naming.WatchFunc[oneDtab, namerd.Stored](s.watchDtab), shared)
	return s, nil
}

// Close implements io.Closer. What observers have stands still.
func (s *Store) Close() error {
	err := errors.Join(s.names.Close(), s.dtabs.Close())
	s.ensemble.close()
	return err
}

// Watches implements naming.Reporter: what is observed, and the connection while there
// is none.
func (s *Store) Watches() []naming.WatchStatus {
	var session []naming.WatchStatus
	if st := s.ensemble.watching(); st.Err != nil {
		session = append(session, st)
	}
	return slices.Concat(session, s.names.Watches(), s.dtabs.Watches())
}

// List implements namerd.Reader.
func (s *Store) List(ctx context.Context) ([]string, error) {
	return retrying(ctx, s, func(ctx context.Context, l *link) ([]string, error) {
		if err := s.ensemble.sync(ctx, l); err != nil {
			return nil, err
		}
		list, _, err := s.list(ctx, l, false)
		return list, err
	})
}

// Get implements namerd.Reader.
func (s *Store) Get(ctx context.Context, namespace string) (namerd.Stored, error) {
	if err := s.check(namespace); err != nil {
		return namerd.Stored{}, err
	}
	return retrying(ctx, s, func(ctx context.Context, l *link) (namerd.Stored, error) {
		if err := s.ensemble.sync(ctx, l); err != nil {
			return namerd.Stored{}, err
		}
		st, _, err := s.read(ctx, l, namespace, false)
		return st, err
	})
}

// History implements namerd.Reader.
func (s *Store) History(ctx context.Context, namespace string, limit int) ([]namerd.Change, error) {
	if err := s.check(namespace); err != nil {
		return nil, err
	}
	return retrying(ctx, s, func(ctx context.Context, l *link) ([]namerd.Change, error) {
		if err := s.ensemble.sync(ctx, l); err != nil {
			return nil, err
		}
		j, _, err := s.journal(ctx, l, namespace)
		if err != nil {
			return nil, err
		}
		return j.last(limit)
	})
}

// Namespaces implements namerd.Reader.
func (s *Store) Namespaces(ctx context.Context) weft.Source[naming.State[[]string]] {
	return s.names.Observe(ctx, allNames{s.layout.prefix})
}

// Observe implements namerd.Reader.
func (s *Store) Observe(ctx context.Context, namespace string) weft.Source[naming.State[namerd.Stored]] {
	if err := s.check(namespace); err != nil {
		return weft.Const[naming.State[namerd.Stored]]{V: naming.Failed[namerd.Stored](&naming.AnswerError{Err: err})}
	}
	return s.dtabs.Observe(ctx, oneDtab{s.layout.dtab(namespace), namespace})
}

// Create implements namerd.Writer.
func (s *Store) Create(ctx context.Context, namespace string, d dtab.Dtab, note namerd.Note) (namerd.Version, error) {
	return s.write(ctx, newWriting(namespace, d, note, func(cur *zoo.Stat) error {
		if cur != nil {
			return namerd.ErrExists
		}
		return nil
	}))
}

// Update implements namerd.Writer.
func (s *Store) Update(ctx context.Context, namespace string, d dtab.Dtab, v namerd.Version, note namerd.Note) (namerd.Version, error) {
	return s.write(ctx, newWriting(namespace, d, note, func(cur *zoo.Stat) error { return mustHave(cur, v) }))
}

// Put implements namerd.Writer.
func (s *Store) Put(ctx context.Context, namespace string, d dtab.Dtab, note namerd.Note) (namerd.Version, error) {
	return s.write(ctx, newWriting(namespace, d, note, func(*zoo.Stat) error { return nil }))
}

// Delete implements namerd.Writer.
func (s *Store) Delete(ctx context.Context, namespace string, v namerd.Version, note namerd.Note) error {
	w := newWriting(namespace, nil, note, func(cur *zoo.Stat) error {
		if v == "" && cur != nil {
			return nil
		}
		return mustHave(cur, v)
	})
	w.deletes, w.text = true, ""
	if _, err := s.write(ctx, w); err != nil {
		return err
	}
	s.forget(ctx)
	return nil
}

// mustHave says why a znode does not have the version v.
func mustHave(cur *zoo.Stat, v namerd.Version) error {
	switch {
	case cur == nil:
		return namerd.ErrMissing
	case !matches(v, cur.Version, cur.Czxid):
		return namerd.ErrMismatch
	default:
		return nil
	}
}

// check refuses what cannot be the name of a znode.
func (s *Store) check(namespace string) error {
	if err := s.layout.check(namespace); err != nil {
		return &namerd.Error{Is: namerd.ErrInvalid, Namespace: namespace, Detail: err}
	}
	return nil
}

// retrying reads, again if a connection is lost meanwhile.
func retrying[T any](ctx context.Context, s *Store, read func(context.Context, *link) (T, error)) (T, error) {
	var none T
	if err := context.Cause(ctx); err != nil {
		return none, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Patience)
	defer cancel()
	for delay := minRedial; ; delay = min(2*delay, maxRedial) {
		l, err := s.ensemble.await(ctx)
		if err != nil {
			return none, err
		}
		v, err := read(ctx, l)
		if err == nil || ctx.Err() != nil || !lost(err) {
			return v, err
		}
		s.ensemble.over(ctx, l, delay)
	}
}

// explained returns an error of the servers in the words of package namerd.
func explained(namespace, path string, err error) error {
	if errors.Is(err, zoo.ErrNoAuth) {
		return &namerd.Error{
			Is: namerd.ErrForbidden, Namespace: namespace,
			Detail: fmt.Errorf("the ACL of %s does not let these credentials: %w", path, err),
		}
	}
	return fmt.Errorf("zk: %s: %w", path, err)
}
