package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weft-mesh/weft/namerd"
)

// Pause leaves the weights as they are and ends the process that runs the rollout, if
// one does. It returns when that is written down.
func (r *Runner) Pause(ctx context.Context, id ID) error {
	_, err := r.demand(ctx, id, WantPause, func(ctx context.Context, l *ledger) (Outcome, error) {
		switch l.cur.Phase {
		case Paused, Stopped:
			return Suspended, nil
		case RollingBack, Done:
			return Unfinished, fmt.Errorf("rollout: %s is %s; it cannot be paused any more", id, l.cur)
		default:
		}
		return r.takeOver(ctx, l, func(s *State) {
			s.Resumes, s.Phase, s.Reason = s.Phase, Paused, "asked for"
		})
	})
	return err
}

// Promote gives the new branch everything, without watching. It returns when that is
// so; a process that runs the rollout does it if there is one.
func (r *Runner) Promote(ctx context.Context, id ID) (Outcome, error) {
	return r.demand(ctx, id, WantPromote, func(ctx context.Context, l *ledger) (Outcome, error) {
		if l.cur.onward() == RollingBack {
			return Unfinished, fmt.Errorf("rollout: %s is %s; it cannot be promoted any more", id, l.cur)
		}
		return r.takeOver(ctx, l, func(s *State) {
			if s.Phase != Done {
				s.Phase, s.Reason, s.Resumes = Promoting, "asked for", ""
			}
		})
	})
}

// Skip ends the watching of the step in which a rollout is, so that the next one
// begins. A process must run it.
func (r *Runner) Skip(ctx context.Context, id ID) error {
	_, err := r.demand(ctx, id, WantSkip, func(_ context.Context, l *ledger) (Outcome, error) {
		return Unfinished, &HeldError{State: l.cur, Now: time.Now()}
	})
	return err
}

// Revert puts the old rule back, whatever the rollout is doing, and returns when it
// is back. A process that runs the rollout does it if there is one.
func (r *Runner) Revert(ctx context.Context, id ID) (Outcome, error) {
	return r.demand(ctx, id, WantRevert, func(ctx context.Context, l *ledger) (Outcome, error) {
		return r.takeOver(ctx, l, func(s *State) {
			if s.Phase != Done {
				s.Phase, s.Reason, s.Resumes = RollingBack, "asked for", ""
			}
		})
	})
}

// Abandon deletes the state of a rollout that nobody runs and leaves the rule as it
// is. A *HeldError says that a process runs it.
func (r *Runner) Abandon(ctx context.Context, id ID) error {
	l := r.ledger(id)
	stored, err := r.opts.Dtabs.Get(ctx, l.namespace)
	switch {
	case err != nil:
		return fmt.Errorf("rollout: reading %s: %w", l.namespace, err)
	case !stored.Exists:
		return fmt.Errorf("%w in the namespace %s", ErrNone, l.namespace)
	}
	// A state that makes no sense is none that somebody runs.
	if s, err := ParseState(stored.Dtab); err == nil && s.Held(time.Now()) {
		return &HeldError{State: s, Now: time.Now()}
	}
	if err := r.opts.Dtabs.Delete(ctx, l.namespace, stored.Version); err != nil {
		return fmt.Errorf("rollout: deleting %s: %w", l.namespace, err)
	}
	return nil
}

// demand asks the process that runs a rollout for something and waits until it is
// done, or calls self if none runs it.
func (r *Runner) demand(ctx context.Context, id ID, w Want, self func(context.Context, *ledger) (Outcome, error)) (Outcome, error) {
	var last *ledger
	for asked := false; ; {
		l, err := r.open(ctx, id)
		switch {
		case errors.Is(err, ErrNone) && last != nil:
			return r.ended(ctx, last)
		case err != nil:
			return Unfinished, err
		}
		if asked && w == WantSkip && l.cur.Wanted != WantSkip {
			return Unfinished, nil // it has been dealt with
		}
		asked = asked || l.cur.Wanted == w
		switch {
		case !l.cur.Held(time.Now()):
			return self(ctx, l)
		case l.cur.Phase != Done && l.cur.Wanted != w:
			written, err := l.want(ctx, w)
			if err != nil {
				return Unfinished, err
			}
			asked = asked || written
		}
		last = l
		select {
		case <-time.After(r.opts.Poll):
		case <-ctx.Done():
			return Unfinished, context.Cause(ctx)
		}
	}
}

// want writes what is wanted into a state that another process has, and reports
// whether it could. Nothing else of it changes; if the process writes at the same
// time, it takes another turn.
func (l *ledger) want(ctx context.Context, w Want) (written bool, err error) {
	next := l.cur
	next.Wanted = w
	err = l.put(ctx, next)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, namerd.ErrMismatch), errors.Is(err, namerd.ErrMissing):
		return false, nil
	case permanent(err):
		return false, err
	}
	l.unreachable(err)
	return false, nil
}

// ended returns how a rollout ended whose state is gone: what its last state said, or
// the rule says.
func (r *Runner) ended(ctx context.Context, l *ledger) (Outcome, error) {
	if l.cur.Phase == Done {
		return l.cur.Outcome, nil
	}
	p := l.cur.Plan
	if l.check(ctx, p.tree(len(p.Steps)-1)) == nil {
		return Promoted, nil
	}
	if l.check(ctx, p.tree(-1)) == nil {
		return RolledBack, nil
	}
	return Unfinished, ErrGone
}
