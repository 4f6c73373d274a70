package zk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"time"

	zoo "github.com/go-zookeeper/zk"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/turns"
)

// errUnknown is in the chain of the error of a write of which it cannot be told whether
// it was made.
var errUnknown = errors.New("zk: it is not known whether the write was made")

// conflictPause bounds the pause before a write that another process was faster than is
// tried again.
const conflictPause = 20 * time.Millisecond

// writing is one write.
type writing struct {
	id        string
	namespace string
	text      string // of the dtab
	deletes   bool
	note      namerd.Note
	at        time.Time

	// allows says what is wrong with a znode, nil if there is none.
	allows func(*zoo.Stat) error

	// doubt is the state of the history at which the write may have been made by a
	// request whose answer was lost.
	doubt *doubt

	turn *turns.Turn[*zoo.Stat]
}

// doubt is a state of a history: of which znode and which version; czxid 0 is that there
// was none.
type doubt struct {
	czxid   int64
	version int32
}

func newWriting(namespace string, d dtab.Dtab, note namerd.Note, allows func(*zoo.Stat) error) *writing {
	return &writing{id: rand.Text(), namespace: namespace, text: d.Exact(), note: note, at: time.Now(), allows: allows}
}

// write makes a write: it reads what there is, and changes that if it is still the same,
// until it has succeeded or must not.
func (s *Store) write(ctx context.Context, w *writing) (namerd.Version, error) {
	if err := s.check(w.namespace); err != nil {
		return "", err
	}
	if err := context.Cause(ctx); err != nil {
		return "", err
	}
	began := time.Now()
	// Who has had to wait for others does not wait for a connection after them.
	waiting, stopWaiting := context.WithTimeout(ctx, s.opts.Patience)
	defer stopWaiting()
	mine, end, err := s.turns.Take(ctx, w.namespace)
	if err != nil {
		return "", err
	}
	defer end()
	w.turn = mine
	if cur, ok := mine.Since(began); ok {
		if err := w.refusal(cur); err != nil {
			return "", err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Patience)
	defer cancel()
	for delay := minRedial; ; {
		l, err := s.ensemble.await(waiting)
		if err != nil {
			return "", w.unsure(err)
		}
		v, again, err := s.try(ctx, l, w)
		switch {
		case err == nil && !again, err != nil && !lost(err):
			return v, err
		case ctx.Err() != nil:
			return "", w.unsure(context.Cause(ctx))
		case again:
			pause(ctx, mrand.N(conflictPause))
		default:
			s.ensemble.over(ctx, l, delay)
			delay = min(2*delay, maxRedial)
		}
	}
}

// unsure returns the error of a write that was given up.
func (w *writing) unsure(err error) error {
	if w.doubt != nil {
		return fmt.Errorf("%w: %w", errUnknown, err)
	}
	return err
}

// try makes one attempt. The outcome again is that something was written in between.
func (s *Store) try(ctx context.Context, l *link, w *writing) (v namerd.Version, again bool, err error) {
	if err := s.ensemble.sync(ctx, l); err != nil {
		return "", false, err
	}
	if w.doubt == nil { // who comes too late is told without the history, which is large
		if _, err := s.allowed(ctx, l, w); err != nil {
			return "", false, err
		}
	}
	// The history first: should the namespace be deleted and made again before it is
	// read, then the history is not this one any more when it is written.
	j, history, err := s.journal(ctx, l, w.namespace)
	if bad, ok := errors.AsType[*malformed](err); ok {
		s.opts.Logger.Warn("a history cannot be read and begins anew", "namespace", w.namespace, "err", bad)
		j, err = journal{}, nil
	}
	if err != nil {
		return "", false, err
	}
	if e, found := j.find(w.id); found {
		return namerd.Version(e.Version), false, nil
	}
	if w.doubt != nil && !w.doubt.couldTell(history, len(j.Changes)) {
		return "", false, &definite{fmt.Errorf("%w: too much was written to %s since", errUnknown, w.namespace)}
	}
	if w.doubt != nil && *w.doubt != doubtAt(history) {
		w.doubt = nil // it was not made, and cannot be any more
	}
	cur, err := s.allowed(ctx, l, w)
	if err != nil {
		return "", false, err
	}
	ops, err := s.transaction(w, j, history, cur)
	if err != nil {
		return "", false, err
	}
	return s.commit(ctx, l, w, ops, history)
}

func doubtAt(history *zoo.Stat) doubt {
	if history == nil {
		return doubt{}
	}
	return doubt{history.Czxid, history.Version}
}

// allowed returns the znode of the namespace, nil if there is none, if the write may be
// made to it.
func (s *Store) allowed(ctx context.Context, l *link, w *writing) (*zoo.Stat, error) {
	path, now := s.layout.dtab(w.namespace), time.Now()
	z, _, err := s.ensemble.look(ctx, l, path, presence, false)
	if err != nil {
		return nil, explained(w.namespace, path, err)
	}
	w.turn.Saw(z.stat, now)
	return z.stat, w.refusal(z.stat)
}

// refusal says why the write must not be made to a znode, nil if there is none.
func (w *writing) refusal(cur *zoo.Stat) error {
	if err := w.allows(cur); err != nil {
		return &namerd.Error{Is: err, Namespace: w.namespace}
	}
	return nil
}

// couldTell reports whether a write that was made when the history was in the state d
// would be among the n changes that it has now.
func (d *doubt) couldTell(now *zoo.Stat, n int) bool {
	switch {
	case now == nil:
		return d.czxid == 0
	case d.czxid == 0: // it was made by one of the writes, whose data is version 1
		return int(now.Version) <= n
	default:
		return now.Czxid == d.czxid && int(now.Version-d.version) <= n
	}
}

// transaction returns the operations of a write, the history last: its stat tells the
// zxid of all.
func (s *Store) transaction(w *writing, j journal, history, cur *zoo.Stat) ([]any, error) {
	path, changes := s.layout.dtab(w.namespace), s.layout.changes(w.namespace)
	e := entry{ID: w.id, At: w.at, Author: w.note.Author, Reason: w.note.Reason, Deleted: w.deletes, Dtab: w.text}
	var ops []any
	switch {
	case w.deletes:
		ops = append(ops, &zoo.DeleteRequest{Path: path, Version: cur.Version})
	case cur == nil:
		ops = append(ops, &zoo.CreateRequest{Path: path, Data: []byte(w.text), Acl: s.ensemble.acl})
		e.Version = []byte(versionOf(0, 0))
	default:
		ops = append(ops, &zoo.SetDataRequest{Path: path, Data: []byte(w.text), Version: cur.Version})
		e.Version = []byte(versionOf(cur.Version+1, cur.Czxid))
	}
	_, text, err := j.with(e)
	if err != nil {
		return nil, err
	}
	if size := len(w.text) + len(text); size > maxWrite {
		return nil, &namerd.Error{
			Is: namerd.ErrTooLarge, Namespace: w.namespace,
			Detail: fmt.Errorf("with its history it has %d bytes, of which there must be at most %d", size, maxWrite),
		}
	}
	if history == nil {
		ops = append(ops, &zoo.CreateRequest{Path: changes, Acl: s.ensemble.acl})
		history = &zoo.Stat{}
	}
	return append(ops, &zoo.SetDataRequest{Path: changes, Data: text, Version: history.Version}), nil
}

// commit has the servers make a write, and reads what they say about it.
func (s *Store) commit(ctx context.Context, l *link, w *writing, ops []any, history *zoo.Stat) (v namerd.Version, again bool, err error) {
	before, at := w.doubt, doubtAt(history)
	w.doubt = &at
	now := time.Now()
	results, err := ask(ctx, s.ensemble, l, func(c *zoo.Conn) ([]zoo.MultiResponse, error) { return c.Multi(ops...) })
	if err != nil && lost(err) {
		return "", false, err
	}
	w.doubt = before
	switch {
	case errors.Is(err, zoo.ErrNoNode): // what all namespaces share may have gone, too
		if err := s.ensemble.prepare(ctx, l); err != nil {
			return "", true, explained(w.namespace, s.layout.prefix+" or "+s.layout.history, err)
		}
		return "", true, nil
	case errors.Is(err, zoo.ErrBadVersion), errors.Is(err, zoo.ErrNodeExists):
		return "", true, nil
	case err != nil:
		return "", false, explained(w.namespace, s.layout.dtab(w.namespace)+" or "+s.layout.changes(w.namespace), err)
	case len(results) != len(ops):
		return "", false, &definite{fmt.Errorf("zk: %d answers to %d operations", len(results), len(ops))}
	}
	zxid := results[len(results)-1].Stat.Mzxid
	switch ops[0].(type) {
	case *zoo.SetDataRequest:
		cur := results[0].Stat
		w.turn.Saw(cur, now)
		return versionOf(cur.Version, cur.Czxid), false, nil
	case *zoo.CreateRequest:
		w.turn.Saw(&zoo.Stat{Czxid: zxid, Mzxid: zxid}, now)
		return versionOf(0, zxid), false, nil
	default:
		w.turn.Saw(nil, now)
		return "", false, nil
	}
}

// definite is an error that is not about the connection.
type definite struct{ error }

// Unwrap returns the error.
func (e *definite) Unwrap() error { return e.error }
