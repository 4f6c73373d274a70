package k8s

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"net/http"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/turns"
	"github.com/weft-mesh/weft/naming/k8s"
)

// errUnknown is in the chain of the error of a write of which it cannot be told whether
// it was made.
var errUnknown = errors.New("k8s: it is not known whether the write was made")

// conflictPause bounds the pause before a write that another process was faster than is
// tried again.
const conflictPause = 20 * time.Millisecond

// writing is one write.
type writing struct {
	id      string
	name    string
	dtab    dtab.Dtab
	deletes bool
	note    namerd.Note
	at      time.Time

	// allows says what is wrong with what was found.
	allows func(found) error

	// doubt is what was found before a request whose answer was lost, so that the write
	// may have been made.
	doubt *found

	turn *turns.Turn[found]
}

func newWriting(name string, d dtab.Dtab, note namerd.Note, allows func(found) error) *writing {
	return &writing{id: rand.Text(), name: name, dtab: d, note: note, at: time.Now(), allows: allows}
}

// write makes a write: it reads what there is, and changes that if it is still the same,
// until it has succeeded or must not.
func (s *Store) write(ctx context.Context, w *writing) (namerd.Version, error) {
	if err := check(w.name); err != nil {
		return "", err
	}
	if err := context.Cause(ctx); err != nil {
		return "", err
	}
	began := time.Now() // who has had to wait for others does not wait for the server after them
	mine, end, err := s.turns.Take(ctx, w.name)
	if err != nil {
		return "", err
	}
	defer end()
	w.turn = mine
	if f, ok := mine.Since(began); ok {
		if err := w.refusal(f); err != nil {
			return "", err
		}
	}
	ctx, cancel, err := s.begin(ctx)
	if err != nil {
		return "", err
	}
	defer cancel()
	var trouble error
	for delay := minPause; ; {
		v, again, err := s.try(ctx, w)
		switch {
		case err == nil && !again, err != nil && !passing(err):
			return v, err
		case err != nil && (trouble == nil || ctx.Err() == nil):
			trouble = err
		}
		if again {
			pause(ctx, mrand.N(conflictPause))
		} else {
			pause(ctx, delay-mrand.N(delay/2))
			delay = min(2*delay, maxPause)
		}
		if ctx.Err() != nil {
			return "", s.ended(w.unsure(errors.Join(trouble, context.Cause(ctx))))
		}
		if err != nil && time.Since(began) > s.opts.Patience {
			return "", w.unsure(err)
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
func (s *Store) try(ctx context.Context, w *writing) (v namerd.Version, again bool, err error) {
	now := time.Now()
	f, err := s.find(ctx, w.name)
	if err != nil {
		return "", false, err
	}
	w.turn.Saw(f, now)
	j, err := readJournal(f.object)
	if err != nil {
		s.opts.Logger.Warn("a history cannot be read and begins anew", "dtab", w.name, "err", err)
		j = journal{}
	}
	if w.doubt != nil {
		if v, done, err := w.resolve(f, j); done {
			return v, false, err
		}
	}
	if err := w.refusal(f); err != nil {
		return "", false, err
	}
	if w.deletes {
		return s.remove(ctx, w, f)
	}
	history, err := j.with(entry{ID: w.id, At: w.at, Author: w.note.Author, Reason: w.note.Reason}, w.dtab.Exact())
	if err != nil {
		return "", false, err
	}
	return s.store(ctx, w, f, history)
}

// refusal says why the write must not be made to what was found.
func (w *writing) refusal(f found) error {
	if err := w.allows(f); err != nil {
		return &namerd.Error{Is: err, Namespace: w.name}
	}
	return nil
}

// resolve finds out whether a write was made of which that is in doubt, from what is
// found now. The outcome done is false if it was not: it may be tried again.
func (w *writing) resolve(f found, j journal) (v namerd.Version, done bool, err error) {
	before := *w.doubt
	switch {
	case before.uid == f.uid && before.version == f.version:
		return "", false, nil // nothing was made; what may still come is refused if this is
	case w.deletes && before.uid != f.uid:
		return "", true, fmt.Errorf("%w: the dtab %s was deleted, by this write or another one", errUnknown, w.name)
	case w.deletes:
		w.doubt = nil // another version is there, which it did not mean
		return "", false, nil
	}
	if e, ok := j.find(w.id); ok {
		if e.Version == "" {
			return "", true, fmt.Errorf("%w, and what version: it was made, and another client has changed the dtab %s since", errUnknown, w.name)
		}
		return namerd.Version(e.Version), true, nil
	}
	made := 0 // changes until then
	if before.raw != nil {
		old, err := readJournal(before.object)
		if err == nil {
			made = old.Count
		}
	}
	if before.raw != nil && f.uid != before.uid || j.Count < made || j.Count-made > len(j.Changes) {
		return "", true, fmt.Errorf("%w: too much has happened to the dtab %s since", errUnknown, w.name)
	}
	w.doubt = nil // it was not, and cannot be any more
	return "", false, nil
}

// store creates or replaces an object.
func (s *Store) store(ctx context.Context, w *writing, f found, history string) (v namerd.Version, again bool, err error) {
	method, path := http.MethodPut, s.path()+"/"+w.name
	raw := f.raw
	if raw == nil {
		method, path = http.MethodPost, s.path()
		raw = json.RawMessage(fmt.Sprintf(`{"metadata":{"name":%q,"namespace":%q}}`, w.name, s.namespace))
	}
	body, err := edited(raw, w.dtab, history)
	if err != nil {
		return "", false, &malformed{path, err}
	}
	if len(body) > maxObject {
		return "", false, &namerd.Error{
			Is: namerd.ErrTooLarge, Namespace: w.name,
			Detail: fmt.Errorf("the object has %d bytes, of which there must be at most %d", len(body), maxObject),
		}
	}
	now := time.Now()
	answer, again, err := s.change(ctx, w, f, method, path, body)
	if err != nil || again {
		return "", again, err
	}
	o, err := decode(answer)
	if err != nil {
		return "", false, fmt.Errorf("%w: the answer is no DTab: %w", errUnknown, err)
	}
	w.turn.Saw(found{object: o, raw: answer, at: o.version}, now)
	return namerd.Version(o.version), false, nil
}

// remove deletes an object.
func (s *Store) remove(ctx context.Context, w *writing, f found) (v namerd.Version, again bool, err error) {
	body, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "DeleteOptions",
		"preconditions": map[string]string{"uid": f.uid, "resourceVersion": f.version},
	})
	if err != nil {
		return "", false, err
	}
	now := time.Now()
	if _, again, err = s.change(ctx, w, f, http.MethodDelete, s.path()+"/"+w.name, body); err == nil && !again {
		w.turn.Saw(found{}, now)
	}
	return "", again, err
}

// change sends a request that writes.
func (s *Store) change(ctx context.Context, w *writing, f found, method, path string, body []byte) (answer []byte, again bool, err error) {
	before := w.doubt
	w.doubt = &f
	answer, err = s.client.Do(ctx, method, path, nil, body)
	refusal, refused := errors.AsType[*k8s.StatusError](err)
	if err == nil || !refused || refusal.Code >= http.StatusInternalServerError {
		if large, ok := errors.AsType[*namerd.Error](explained(w.name, err)); ok && large.Is == namerd.ErrTooLarge { //nolint:errorlint // the field is one of the sentinels themselves
			return nil, false, large
		}
		return answer, false, err
	}
	w.doubt = before
	switch refusal.Code {
	case http.StatusConflict:
		return nil, true, nil
	case http.StatusNotFound:
		if f.raw != nil {
			return nil, true, nil // it was deleted since
		}
	}
	return nil, false, explained(w.name, err)
}
