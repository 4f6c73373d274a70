package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weft-mesh/weft/namerd"
)

// ledger is the state of a rollout in the control plane, as this process knows it.
// All writes are read back: not every control plane says which version they made, and
// after a failed one it must be known whether it was made.
type ledger struct {
	opts      Options
	namespace string
	cur       State
	version   namerd.Version
	silent    bool // the control plane does not answer
}

// callTimeout bounds one call of the control plane.
const callTimeout = 15 * time.Second

// read returns the state that there is, ErrNone if there is none.
func (l *ledger) read(ctx context.Context) (State, namerd.Version, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	stored, err := l.opts.Dtabs.Get(ctx, l.namespace)
	switch {
	case err != nil:
		return State{}, "", fmt.Errorf("rollout: reading %s: %w", l.namespace, err)
	case !stored.Exists:
		return State{}, "", fmt.Errorf("%w in the namespace %s", ErrNone, l.namespace)
	}
	s, err := ParseState(stored.Dtab)
	if err != nil {
		return State{}, "", permanentError{fmt.Errorf("namespace %s: %w", l.namespace, err)}
	}
	return s, stored.Version, nil
}

// create makes the state, which is the lock of the rule.
func (l *ledger) create(ctx context.Context, s State) error {
	create := func() error {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		_, err := l.opts.Dtabs.Create(ctx, l.namespace, s.Dtab())
		return err
	}
	failed := create()
	if failed != nil && !errors.Is(failed, namerd.ErrExists) && permanent(failed) {
		return fmt.Errorf("rollout: making %s: %w", l.namespace, failed)
	}
	var there State
	err := l.persist(ctx, func() (err error) {
		there, l.version, err = l.read(ctx)
		if errors.Is(err, ErrNone) && failed != nil {
			return permanentError{fmt.Errorf("rollout: making %s: %w", l.namespace, failed)}
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case there.token == s.token:
		l.cur = there
		return nil
	case there.Phase == Done && !there.Held(time.Now()):
		return l.replace(ctx, there, s)
	}
	return &HeldError{State: there, Now: time.Now()}
}

// take makes this process the one that runs it: the one, as the state is written by
// compare-and-swap.
func (l *ledger) take(ctx context.Context, change func(*State)) error {
	next := l.cur
	change(&next)
	next.token, next.Runner, next.Lease, next.Wanted = newToken(), l.opts.Name, l.opts.Lease, WantNothing
	next.Alive = time.Now()
	return l.replace(ctx, l.cur, next)
}

// replace writes next where there was was, unless somebody else writes something.
func (l *ledger) replace(ctx context.Context, was, next State) error {
	next.seq = was.seq + 1
	return l.persist(ctx, func() error {
		failed := l.put(ctx, next)
		there, version, err := l.read(ctx)
		switch {
		case err != nil:
			return err
		case there.token == next.token:
			l.cur, l.version = there, version
			return nil
		case there.token != was.token || there.seq != was.seq || failed == nil:
			return permanentError{&HeldError{State: there, Now: time.Now()}}
		}
		l.version = version
		return failed
	})
}

func (l *ledger) put(ctx context.Context, s State) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if _, err := l.opts.Dtabs.Update(ctx, l.namespace, s.Dtab(), l.version); err != nil {
		return fmt.Errorf("rollout: writing %s: %w", l.namespace, err)
	}
	return nil
}

// save writes what change makes of the state, as long as nobody else has taken it.
// What others want in the meantime is kept, unless change says otherwise.
func (l *ledger) save(ctx context.Context, change func(*State)) error {
	return l.persist(ctx, func() error {
		next := l.cur
		change(&next)
		next.seq, next.Alive, next.Lease = l.cur.seq+1, time.Now(), l.opts.Lease
		failed := l.put(ctx, next)
		err := l.refresh(ctx)
		if err != nil || l.cur.seq == next.seq {
			return err
		}
		if failed == nil {
			return permanentError{fmt.Errorf("%w: what was written to %s is not there", ErrTaken, l.namespace)}
		}
		return failed
	})
}

// refresh reads the state, and checks that it is still this process's.
func (l *ledger) refresh(ctx context.Context) error {
	there, version, err := l.read(ctx)
	switch {
	case errors.Is(err, ErrNone):
		return permanentError{ErrGone}
	case err != nil:
		return err
	case there.token != l.cur.token:
		return permanentError{fmt.Errorf("%w: %s", ErrTaken, there.Runner)}
	}
	l.cur, l.version = there, version
	return nil
}

// remove deletes the state.
func (l *ledger) remove(ctx context.Context) error {
	return l.persist(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		failed := l.opts.Dtabs.Delete(ctx, l.namespace, l.version)
		if failed == nil || errors.Is(failed, namerd.ErrMissing) {
			return nil
		}
		err := l.refresh(ctx)
		if errors.Is(err, ErrGone) || errors.Is(err, ErrTaken) {
			return nil // it is not there any more, or somebody else's
		}
		return errors.Join(failed, err)
	})
}

// persist calls do until it succeeds, fails for good, or ctx ends.
func (l *ledger) persist(ctx context.Context, do func() error) error {
	for wait := l.opts.Poll / 16; ; wait = min(2*wait, l.opts.Poll) {
		err := do()
		switch {
		case err == nil:
			l.answers()
			return nil
		case permanent(err):
			return unwrapPermanent(err)
		case !errors.Is(err, namerd.ErrMismatch):
			l.unreachable(err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		}
	}
}

func (l *ledger) unreachable(err error) {
	if !l.silent {
		l.silent = true
		l.report(Event{Kind: EventUnreachable, Err: err})
	}
}

func (l *ledger) answers() {
	if l.silent {
		l.silent = false
		l.report(Event{Kind: EventReachable})
	}
}

func (l *ledger) report(e Event) {
	e.At, e.State = time.Now(), l.cur
	l.opts.Report(e)
}

// permanentError is one that trying again does not help.
type permanentError struct{ error }

// Unwrap returns the error.
func (e permanentError) Unwrap() error { return e.error }

func permanent(err error) bool {
	if _, ok := errors.AsType[permanentError](err); ok {
		return true
	}
	return errors.Is(err, namerd.ErrForbidden) || errors.Is(err, namerd.ErrInvalid) || errors.Is(err, namerd.ErrTooLarge) ||
		errors.Is(err, ErrNone)
}

func unwrapPermanent(err error) error {
	if p, ok := err.(permanentError); ok { //nolint:errorlint // only the outermost is a mark of ours
		return p.error
	}
	return err
}
