package consul

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

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

// place is what a write is based on: the key, and the head as it was then or later.
// Indexes of keys that are not there are 0.
type place struct {
	key    uint64
	headAt uint64
	head   head
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
	if err := checkWritten(w.namespace); err != nil {
		return "", err
	}
	ctx, cancel := s.patient(ctx)
	defer cancel()
	w.id = rand.Text()
	var lost *place // where the attempt without an answer was made
	b, conflicts := newDelay(s.cfg.Backoff), newDelay(Backoff{Min: time.Millisecond, Max: 20 * time.Millisecond})
	fail := func(err error) error {
		if lost != nil {
			return fmt.Errorf("consul: namespace %s: %w: %w", w.namespace, errUnclear, err)
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
	if last := mine.Last(); last.headAt > at.headAt {
		if again {
			return "", false, nil // whether the first attempt was made is to be found out first
		}
		*at = last
		if err := w.refused(*at); err != nil {
			return "", false, err
		}
	}
	index, made, err := s.commit(ctx, w, *at)
	if !made {
		return "", false, err
	}
	now := place{key: index, headAt: index, head: head{N: at.head.N + 1, ID: w.id}}
	if w.deletes {
		now.key = 0
	}
	mine.Saw(now, time.Now())
	return w.made(index), true, nil
}

// made returns the version that the write has made at an index.
func (w write) made(index uint64) namerd.Version {
	if w.deletes {
		return ""
	}
	return versionOf(index)
}

// place reads where a namespace is. The head is read last: an attempt that the key
// shows to have been made is in the head then.
func (s *Store) place(ctx context.Context, namespace string) (at place, err error) {
	var k, h pair
	err = s.read(ctx, func(ctx context.Context) (err error) {
		if k, _, err = s.client.one(ctx, s.dtabs+namespace, ConsistencyConsistent.params()); err != nil {
			return err
		}
		h, _, err = s.client.one(ctx, s.journal(namespace).head(), ConsistencyConsistent.params())
		return err
	})
	if err != nil {
		return place{}, err
	}
	at.key, at.headAt = k.ModifyIndex, h.ModifyIndex
	if h.ModifyIndex != 0 {
		if err := json.Unmarshal(h.Value, &at.head); err != nil {
			return place{}, fmt.Errorf("the head of the history, %s, cannot be read; if it is deleted a new history begins: %w", h.Key, err)
		}
	}
	return at, nil
}

// commit makes the write if the namespace is still where it was.
func (s *Store) commit(ctx context.Context, w write, at place) (index uint64, made bool, err error) {
	j, n := s.journal(w.namespace), at.head.N+1
	headText, err1 := json.Marshal(head{N: n, ID: w.id})
	entryText, err2 := encodeEntry(entry{N: n, ID: w.id, Change: namerd.Change{Note: w.note, At: time.Now(), Deleted: w.deletes, Dtab: w.dtab}})
	if err := errors.Join(err1, err2); err != nil {
		return 0, false, err
	}
	key := s.dtabs + w.namespace
	// Without other flags a value that is the same would not be written, and have no
	// new index.
	ops := []operation{{Verb: "cas", Key: key, Value: []byte(w.dtab.Exact()), Flags: n, Index: at.key}}
	if w.deletes {
		// To delete-cas, a key that is not there has every index.
		ops = []operation{{Verb: "check-index", Key: key, Index: at.key}, {Verb: "delete-cas", Key: key, Index: at.key}}
	}
	ops = append(ops, operation{Verb: "cas", Key: j.head(), Value: headText, Index: at.headAt}, operation{Verb: "set", Key: j.slot(n), Value: entryText})
	err = s.once(ctx, func(ctx context.Context) (err error) {
		index, made, err = s.client.txn(ctx, s.cfg.WriteConsistencyMode.params(), j.head(), ops...)
		return err
	})
	return index, made, err
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
	}
	var k pair
	if err := s.read(ctx, func(ctx context.Context) (err error) {
		k, _, err = s.client.one(ctx, s.journal(w.namespace).slot(lost.head.N+1), ConsistencyConsistent.params())
		return err
	}); err != nil {
		return "", false, err
	}
	e, err := decodeEntry(k.Value)
	switch {
	case err != nil || e.N != lost.head.N+1:
		return "", false, errors.New("too many others were made meanwhile to say")
	case e.ID != w.id:
		return "", false, nil
	}
	return w.made(k.ModifyIndex), true, nil
}
