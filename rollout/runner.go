package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Runner starts, resumes and ends rollouts. It is safe for concurrent use with
// different rules.
type Runner struct{ opts Options }

// New returns a Runner. There is nothing to close.
func New(o Options) *Runner { return &Runner{opts: o.withDefaults()} }

// errNoMeter says that Options are incomplete.
var errNoMeter = errors.New("rollout: no meter is given, and without measuring nothing can be shifted")

// Prepare returns the plan with its defaults filled in, after it was checked against
// the namespace. A *HeldError says that there is a rollout of the rule already.
func (r *Runner) Prepare(ctx context.Context, p Plan) (Plan, error) {
	p = p.withDefaults()
	if p.Namespace == "" || p.Rule.Len() == 0 {
		return p, p.Check(nil)
	}
	l, err := r.open(ctx, p.ID())
	switch {
	case err == nil && (l.cur.Phase != Done || l.cur.Held(time.Now())):
		return p, &HeldError{State: l.cur, Now: time.Now()}
	case err != nil && !errors.Is(err, ErrNone):
		return p, err
	}
	stored, err := r.opts.Dtabs.Get(ctx, p.Namespace)
	switch {
	case err != nil:
		return p, fmt.Errorf("rollout: reading %s: %w", p.Namespace, err)
	case !stored.Exists:
		return p, fmt.Errorf("rollout: there is no namespace %s", p.Namespace)
	}
	if err := p.Check(stored.Dtab); err != nil {
		return p, err
	}
	if p.Old.IsEmpty() {
		p.Old, err = single(stored.Dtab, p.ID())
	}
	return p, err
}

// Start runs a plan until its end: until the new branch has everything, or the old
// rule is back, or the rollout is paused. When ctx ends it does as Plan.OnInterrupt
// says and returns after that. An error with the outcome Unfinished says why the
// rollout was not begun, or what keeps it from going on; in the latter case the state
// stays, for Resume and Revert.
func (r *Runner) Start(ctx context.Context, p Plan) (Outcome, error) {
	if r.opts.Meter == nil {
		return Unfinished, errNoMeter
	}
	p, err := r.Prepare(ctx, p)
	if err != nil {
		return Unfinished, err
	}
	if err := r.tryMeter(ctx); err != nil {
		return Unfinished, err
	}
	now := time.Now()
	l := r.ledger(p.ID())
	s := State{
		Plan: p, Phase: Starting, Step: -1, Started: now, Since: now,
		Runner: r.opts.Name, Alive: now, Lease: r.opts.Lease, token: newToken(),
	}
	if err := l.create(ctx, s); err != nil {
		return Unfinished, err
	}
	l.report(Event{Kind: EventPhase})
	return r.run(ctx, l)
}

// Resume goes on with a rollout that is paused or whose process is dead, and returns
// as Start does. ErrNone if there is none, a *HeldError if its process lives.
func (r *Runner) Resume(ctx context.Context, id ID) (Outcome, error) {
	l, err := r.open(ctx, id)
	if err != nil {
		return Unfinished, err
	}
	if l.cur.Held(time.Now()) {
		return Unfinished, &HeldError{State: l.cur, Now: time.Now()}
	}
	if l.cur.NeedsMeter() {
		if r.opts.Meter == nil {
			return Unfinished, errNoMeter
		}
		if err := r.tryMeter(ctx); err != nil {
			return Unfinished, err
		}
	}
	return r.takeOver(ctx, l, func(s *State) {
		if to := s.onward(); to != s.Phase {
			s.Phase, s.Reason, s.Resumes = to, "", ""
		}
	})
}

// NeedsMeter reports whether Runner.Resume measures: a rollout that is only being
// ended need not be.
func (s State) NeedsMeter() bool {
	phase := s.onward()
	return phase.forward() && phase != Promoting
}

// onward is the phase with which a rollout goes on.
func (s State) onward() Phase {
	if s.Phase == Paused || s.Phase == Stopped {
		return s.Resumes
	}
	return s.Phase
}

// takeOver runs a rollout from what change makes of its state.
func (r *Runner) takeOver(ctx context.Context, l *ledger, change func(*State)) (Outcome, error) {
	if err := l.take(ctx, func(s *State) {
		change(s)
		*s = s.enter(time.Now())
	}); err != nil {
		return Unfinished, err
	}
	l.report(Event{Kind: EventPhase})
	if l.cur.Phase != Done {
		if err := l.fence(ctx); err != nil {
			return r.give(ctx, l, err)
		}
	}
	return r.run(ctx, l)
}

// tryMeter refuses to shift what cannot be watched.
func (r *Runner) tryMeter(ctx context.Context) error {
	if _, _, err := r.opts.Meter.Measure(ctx, r.opts.Interval); err != nil {
		return fmt.Errorf("rollout: nothing was changed, as the branches cannot be measured: %w", err)
	}
	return nil
}

func (r *Runner) ledger(id ID) *ledger {
	return &ledger{opts: r.opts, namespace: StateNamespace(id)}
}

// open returns the state of a rollout, ErrNone if there is none.
func (r *Runner) open(ctx context.Context, id ID) (*ledger, error) {
	l := r.ledger(id)
	var err error
	if l.cur, l.version, err = l.read(ctx); err != nil {
		return nil, unwrapPermanent(err)
	}
	if l.cur.Plan.ID() != id {
		return nil, fmt.Errorf("rollout: the namespace %s has the rollout of %s, and not of %s", l.namespace, l.cur.Plan.ID(), id)
	}
	return l, nil
}

// Status returns the state of a rollout, ErrNone if there is none.
func (r *Runner) Status(ctx context.Context, id ID) (State, error) {
	l, err := r.open(ctx, id)
	if err != nil {
		return State{}, err
	}
	return l.cur, nil
}

// List returns the states of all rollouts, of one namespace unless it is empty, in
// the order of the names of their namespaces. A state that makes no sense is left out
// and its error joined to the others.
func (r *Runner) List(ctx context.Context, namespace string) ([]State, error) {
	lister, ok := r.opts.Dtabs.(Lister)
	if !ok {
		return nil, errors.New("rollout: this control plane does not list its namespaces")
	}
	names, err := lister.List(ctx)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var (
		states []State
		errs   []error
	)
	for _, name := range names {
		if !strings.Contains(name, "-rollout-") {
			continue
		}
		s, _, err := (&ledger{opts: r.opts, namespace: name}).read(ctx)
		switch {
		case errors.Is(err, ErrNone): // it has ended
		case err != nil:
			errs = append(errs, unwrapPermanent(err))
		case namespace == "" || s.Plan.Namespace == namespace:
			states = append(states, s)
		}
	}
	return states, errors.Join(errs...)
}
