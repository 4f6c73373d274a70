package zk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	zoo "github.com/go-zookeeper/zk"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

// settling is how often an absent namespace is looked for again because others were
// made or deleted in between, before it is reported without its place in the order.
const settling = 5

// malformed is the error of a znode that does not hold what it should.
type malformed struct {
	path string
	err  error
}

// Error implements error.
func (e *malformed) Error() string { return fmt.Sprintf("zk: %s: %v", e.path, e.err) }
func (e *malformed) Unwrap() error { return e.err }

// znode is what there is at a path. A znode that is not there has no stat.
type znode struct {
	data     []byte
	children []string
	stat     *zoo.Stat
}

// look reads a znode; changed, if it is watched, is closed when it may be different.
func (e *ensemble) look(ctx context.Context, l *link, path string, what about, watch bool) (z znode, changed <-chan struct{}, err error) {
	for {
		z, changed, err = e.lookOnce(ctx, l, path, what, watch)
		if !errors.Is(err, zoo.ErrNoNode) {
			return z, changed, err
		}
		if !watch {
			return znode{}, nil, nil
		}
		z, changed, err = e.lookOnce(ctx, l, path, presence, true)
		if err != nil || z.stat == nil {
			return z, changed, err
		}
	}
}

// lookOnce asks one thing of a znode.
func (e *ensemble) lookOnce(ctx context.Context, l *link, path string, what about, watch bool) (znode, <-chan struct{}, error) {
	var one *watching
	k := watchKey{path, what}
	if watch {
		one, watch = l.watches.join(k)
	}
	z, err := ask(ctx, e, l, func(c *zoo.Conn) (z znode, err error) {
		switch {
		case what == data && watch:
			z.data, z.stat, _, err = c.GetW(path)
		case what == data:
			z.data, z.stat, err = c.Get(path)
		case what == children && watch:
			z.children, z.stat, _, err = c.ChildrenW(path)
		case what == children:
			z.children, z.stat, err = c.Children(path)
		default:
			var there bool
			if watch {
				there, z.stat, _, err = c.ExistsW(path)
			} else {
				there, z.stat, err = c.Exists(path)
			}
			if !there {
				z.stat = nil
			}
		}
		if watch {
			l.watches.settle(k, one, err == nil && (what != presence || z.stat == nil))
		}
		return z, err
	})
	if one == nil {
		return z, nil, err
	}
	return z, one.fired, err
}

// over waits for the end of a link, which failed, no longer than d.
func (e *ensemble) over(ctx context.Context, l *link, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-l.over:
		// The next one is not there before run has noticed.
		for {
			s, stale := e.cur.Load()
			if s.link != l {
				return
			}
			select {
			case <-stale:
			case <-ctx.Done():
				return
			}
		}
	case <-t.C:
	case <-ctx.Done():
	}
}

// list reads the namespaces.
func (s *Store) list(ctx context.Context, l *link, watch bool) ([]string, <-chan struct{}, error) {
	z, changed, err := s.ensemble.look(ctx, l, s.layout.prefix, children, watch)
	if err != nil {
		return nil, nil, explained("", s.layout.prefix, err)
	}
	list := make([]string, 0, len(z.children))
	for _, name := range z.children {
		if !s.layout.hidden[name] {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list, changed, nil
}

// read reads a namespace.
func (s *Store) read(ctx context.Context, l *link, namespace string, watch bool) (namerd.Stored, <-chan struct{}, error) {
	path := s.layout.dtab(namespace)
	before := int64(-1)
	for n := range settling + 1 {
		z, changed, err := s.ensemble.look(ctx, l, path, data, watch)
		if err != nil {
			return namerd.Stored{}, nil, explained(namespace, path, err)
		}
		if z.stat != nil {
			st := namerd.Stored{Exists: true, Version: versionOf(z.stat.Version, z.stat.Czxid), Revision: l.revision(z.stat.Mzxid)}
			if st.Dtab, err = dtab.Parse(string(z.data)); err != nil {
				return namerd.Stored{}, changed, &malformed{path, fmt.Errorf("it holds no dtab: %w", err)}
			}
			return st, changed, nil
		}
		// It was deleted before the last change to the names, if there was none since it
		// was found to be absent.
		p, _, err := s.ensemble.look(ctx, l, s.layout.prefix, presence, false)
		switch {
		case err != nil:
			return namerd.Stored{}, nil, explained(namespace, s.layout.prefix, err)
		case p.stat == nil, n == settling:
			return namerd.Stored{Revision: l.revision(0)}, changed, nil
		case p.stat.Pzxid == before:
			return namerd.Stored{Revision: l.revision(before)}, changed, nil
		}
		before = p.stat.Pzxid
	}
	return namerd.Stored{}, nil, nil // not reached
}

// revision returns a place in the order of writes.
func (l *link) revision(zxid int64) namerd.Revision {
	of := l.of.Load()
	if of == nil || *of == "" {
		return namerd.Revision{}
	}
	return namerd.Revision{Of: "zk " + *of, N: uint64(zxid)}
}

// journal reads the history of a namespace, and its stat, nil if there is none.
func (s *Store) journal(ctx context.Context, l *link, namespace string) (journal, *zoo.Stat, error) {
	path := s.layout.changes(namespace)
	z, _, err := s.ensemble.look(ctx, l, path, data, false)
	if err != nil {
		return journal{}, nil, explained(namespace, path, err)
	}
	if z.stat == nil {
		return journal{}, nil, nil
	}
	j, err := readJournal(z.data, z.stat.Mzxid)
	if err != nil {
		return journal{}, z.stat, &malformed{path, err}
	}
	return j, z.stat, nil
}

// watchNames is the naming.Watcher of the namespaces.
func (s *Store) watchNames(ctx context.Context, _ allNames, set func(naming.State[[]string])) error {
	fail := func(err error) { set(naming.Failed[[]string](err)) }
	return s.ensemble.follow(ctx, fail, func(l *link) (<-chan struct{}, error) {
		list, changed, err := s.list(ctx, l, true)
		if err == nil {
			set(naming.Ok(list))
		}
		return changed, err
	})
}

// watchDtab is the naming.Watcher of a namespace.
func (s *Store) watchDtab(ctx context.Context, n oneDtab, set func(naming.State[namerd.Stored])) error {
	fail := func(err error) { set(naming.Failed[namerd.Stored](err)) }
	return s.ensemble.follow(ctx, fail, func(l *link) (<-chan struct{}, error) {
		st, changed, err := s.read(ctx, l, n.namespace, true)
		if bad, ok := errors.AsType[*malformed](err); ok {
			fail(&naming.AnswerError{Err: bad})
			return changed, nil
		}
		if err == nil {
			set(naming.Ok(st).At(fmt.Sprintf("%#x", st.Revision.N)))
		}
		return changed, err
	})
}

// follow reads until ctx ends, again whenever what was read has changed or there is
// another link.
func (e *ensemble) follow(ctx context.Context, fail func(error), read func(*link) (<-chan struct{}, error)) error {
	for ctx.Err() == nil {
		cur, stale := e.cur.Load()
		signals := []<-chan struct{}{stale}
		if cur.link != nil {
			changed, err := read(cur.link)
			switch {
			case ctx.Err() != nil:
				continue
			case err != nil && lost(err):
				e.over(ctx, cur.link, maxRedial)
				continue
			case err != nil:
				return err
			}
			signals = append(signals, changed)
		} else if cur.err != nil {
			fail(cur.err)
		}
		_ = naming.Any(ctx, signals) // the loop looks at ctx
	}
	return nil
}
