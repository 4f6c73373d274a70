package etcd

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// write is what is to be done to a namespace.
type write struct {
	namespace string
	deletes   bool
	dtab      dtab.Dtab
	note      namerd.Note

	// only says why it may not be done, as one of the errors of package namerd.
	only func(place) error

	id string // which no other write has
}

// place is what a write is based on: the key and the head at one revision. Revisions of
// keys that are not there are 0.
type place struct {
	revision int64
	key      int64
	headAt   int64
	head     head
}

// mustHave says why a namespace at p does not have the version v.
func (p place) mustHave(v namerd.Version) error {
	switch {
	case p.key == 0:
		return namerd.ErrMissing
	case v != versionOf(p.key):
		return namerd.ErrMismatch
	}
	return nil
}

// Create implements namerd.Writer.
func (s *Store) Create(ctx context.Context, namespace string, d dtab.Dtab, note namerd.Note) (namerd.Version, error) {
	return s.write(ctx, write{namespace: namespace, dtab: d, note: note, only: func(p place) error {
		if p.key != 0 {
			return namerd.ErrExists
		}
		return nil
	}})
}

// Update implements namerd.Writer.
func (s *Store) Update(ctx context.Context, namespace string, d dtab.Dtab, v namerd.Version, note namerd.Note) (namerd.Version, error) {
	return s.write(ctx, write{namespace: namespace, dtab: d, note: note, only: func(p place) error { return p.mustHave(v) }})
}

// Put implements namerd.Writer.
func (s *Store) Put(ctx context.Context, namespace string, d dtab.Dtab, note namerd.Note) (namerd.Version, error) {
	return s.write(ctx, write{namespace: namespace, dtab: d, note: note, only: func(place) error { return nil }})
}

// Delete implements namerd.Writer.
func (s *Store) Delete(ctx context.Context, namespace string, v namerd.Version, note namerd.Note) error {
	_, err := s.write(ctx, write{namespace: namespace, deletes: true, note: note, only: func(p place) error {
		if v == "" && p.key != 0 {
			return nil
		}
		return p.mustHave(v)
	}})
	return err
}

// errUnclear is in the chain of errors after which a write may have been made.
var errUnclear = errors.New("it may have been made")

// write makes a write at most once: it reads the place, and changes it if it still is
// the same then. An attempt without an answer is not made again from another place
// before it is known not to have been made.
func (s *Store) write(ctx context.Context, w write) (namerd.Version, error) {
	if err := checkNamespace(w.namespace); err != nil {
		return "", err
	}
	ctx, cancel := s.patient(ctx)
	defer cancel()
	w.id = rand.Text()
	var lost *place // where the attempt without an answer was made
	b, conflicts := newDelay(s.opts), newDelay(Options{MinBackoff: time.Millisecond, MaxBackoff: 20 * time.Millisecond})
	fail := func(err error) error {
		if lost != nil {
			return fmt.Errorf("etcd: namespace %s: %w: %w", w.namespace, errUnclear, err)
		}
		return failed(w.namespace, err)
	}
	for {
		at, err := s.place(ctx, w.namespace)
		if err != nil {
			return "", fail(err)
		}
		if lost != nil {
			v, made, err := s.made(ctx, w, *lost, at)
			if made || err != nil {
				if err != nil {
					err = fail(err)
				}
				return v, err
			}
			if at.headAt != lost.headAt || at.key != lost.key {
				lost = nil // and it will not be made any more
			}
		}
		if err := w.refused(at); err != nil {
			return "", err
		}
		v, made, err := s.attempt(ctx, w, &at, lost != nil)
		if _, refused := errors.AsType[*namerd.Error](err); refused || made {
			return v, err
		}
		switch {
		case err == nil:
			if !conflicts.wait(ctx) {
				return "", fail(ended(ctx, errors.New("others write all the time")))
			}
			continue
		case final(err) || errors.Is(err, errNotSent):
			return "", fail(err)
		}
		lost = &at
		if !b.wait(ctx) {
			return "", fail(ended(ctx, err))
		}
	}
}

// refused returns the error of a write that may not be done at a place.
func (w write) refused(at place) error {
	reason := w.only(at)
	if reason == nil {
		return nil
	}
	e := &namerd.Error{Is: reason, Namespace: w.namespace}
	if reason == namerd.ErrMismatch { //nolint:errorlint // it is the sentinel itself
		e.Detail = fmt.Errorf("it is %s", versionOf(at.key))
	}
	return e
}

// errNotSent is in the chain of the error of an attempt that was not even begun.
var errNotSent = errors.New("it was not made")

// attempt commits the write when it is its turn, at the place or at a later one to which
// another write of this process has led. Neither made nor an error is that the namespace
// is somewhere else by now.
func (s *Store) attempt(ctx context.Context, w write, at *place, again bool) (v namerd.Version, made bool, err error) {
	mine, end, err := s.turns.Take(ctx, w.namespace)
	if err != nil {
		return "", false, fmt.Errorf("%w: %w", errNotSent, err)
	}
	defer end()
	if last := mine.Last(); last.revision > at.revision {
		if again {
			return "", false, nil // whether the first attempt was made is to be found out first
		}
		*at = last
		if err := w.refused(*at); err != nil {
			return "", false, err
		}
	}
	revision, made, err := s.commit(ctx, w, *at)
	if !made {
		return "", false, err
	}
	now := place{revision: revision, key: revision, headAt: revision, head: head{N: at.head.N + 1, ID: w.id}}
	if w.deletes {
		now.key = 0
	}
	mine.Saw(now, time.Now())
	return w.made(revision), true, nil
}

// made returns the version that the write has made at a revision.
func (w write) made(revision int64) namerd.Version {
	if w.deletes {
		return ""
	}
	return versionOf(revision)
}

// place reads where a namespace is.
func (s *Store) place(ctx context.Context, namespace string) (at place, err error) {
	var bad error
	_, err = s.read(ctx, func(ctx context.Context, c *clientv3.Client) (*etcdserverpb.ResponseHeader, error) {
		resp, err := c.Txn(ctx).Then(
			clientv3.OpGet(s.dtabs+namespace, clientv3.WithKeysOnly()),
			clientv3.OpGet(s.journal(namespace).head()),
		).Commit()
		if err != nil {
			return nil, err
		}
		at, bad = place{revision: resp.Header.Revision}, nil
		if kvs := resp.Responses[0].GetResponseRange().GetKvs(); len(kvs) > 0 {
			at.key = kvs[0].ModRevision
		}
		if kvs := resp.Responses[1].GetResponseRange().GetKvs(); len(kvs) > 0 {
			at.headAt = kvs[0].ModRevision
			if err := json.Unmarshal(kvs[0].Value, &at.head); err != nil {
				bad = fmt.Errorf("the head of the history, %s, cannot be read; if it is deleted a new history begins: %w", kvs[0].Key, err)
			}
		}
		return resp.Header, nil
	})
	return at, errors.Join(err, bad)
}

// commit makes the write if the namespace is still where it was.
func (s *Store) commit(ctx context.Context, w write, at place) (revision int64, made bool, err error) {
	change := namerd.Change{Note: w.note, At: time.Now(), Deleted: w.deletes, Dtab: w.dtab}
	j, n := s.journal(w.namespace), at.head.N+1
	headText, err1 := encode(head{N: n, ID: w.id})
	entryText, err2 := encode(entry{ID: w.id, Change: change})
	if err := errors.Join(err1, err2); err != nil {
		return 0, false, err
	}
	op := clientv3.OpPut(s.dtabs+w.namespace, w.dtab.Exact())
	if w.deletes {
		op = clientv3.OpDelete(s.dtabs + w.namespace)
	}
	_, err = s.once(ctx, func(ctx context.Context, c *clientv3.Client) (*etcdserverpb.ResponseHeader, error) {
		resp, err := c.Txn(ctx).If(
			clientv3.Compare(clientv3.ModRevision(s.dtabs+w.namespace), "=", at.key),
			clientv3.Compare(clientv3.ModRevision(j.head()), "=", at.headAt),
		).Then(op, clientv3.OpPut(j.head(), headText), clientv3.OpPut(j.slot(n), entryText)).Commit()
		if err != nil {
			return nil, err
		}
		revision, made = resp.Header.Revision, resp.Succeeded
		return resp.Header, nil
	})
	return revision, made, err
}

// made finds out whether an attempt to write at a place was made, now that the
// namespace is at another place, or at the same one still. The write that has taken the
// head from the place is the attempt, or the attempt was not made.
func (s *Store) made(ctx context.Context, w write, lost, now place) (v namerd.Version, made bool, err error) {
	switch {
	case now.head.ID == w.id:
		return w.made(now.headAt), true, nil
	case now.headAt == lost.headAt:
		return "", false, nil
	case now.head.N <= lost.head.N:
		return "", false, errors.New("the history was deleted meanwhile")
	}
	at, id, err := s.successor(ctx, w.namespace, lost, now)
	if err != nil || id != w.id {
		return "", false, err
	}
	return w.made(at), true, nil
}

// successor returns the revision and the id of the write that came after a place.
func (s *Store) successor(ctx context.Context, namespace string, lost, now place) (at int64, id string, err error) {
	j := s.journal(namespace)
	if now.head.N-lost.head.N <= kept {
		var e entry
		_, err = s.read(ctx, func(ctx context.Context, c *clientv3.Client) (*etcdserverpb.ResponseHeader, error) {
			resp, err := c.Get(ctx, j.slot(lost.head.N+1), clientv3.WithRev(now.revision))
			if err != nil {
				return nil, err
			}
			for _, kv := range resp.Kvs {
				at, err = kv.ModRevision, json.Unmarshal(kv.Value, &e)
			}
			return resp.Header, err
		})
		return at, e.ID, err
	}
	// The change is not kept any more, but etcd has the head's former values.
	_, err = s.read(ctx, func(ctx context.Context, c *clientv3.Client) (*etcdserverpb.ResponseHeader, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var h head
		for resp := range c.Watch(ctx, j.head(), clientv3.WithRev(lost.revision+1)) {
			if err := resp.Err(); err != nil {
				return nil, err
			}
			for _, e := range resp.Events {
				at, id = e.Kv.ModRevision, ""
				if e.Type == clientv3.EventTypePut {
					err := json.Unmarshal(e.Kv.Value, &h)
					id = h.ID
					return resp.Header, err
				}
			}
		}
		return nil, context.DeadlineExceeded
	})
	return at, id, err
}
