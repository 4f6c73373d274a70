package rollout

import (
	"context"
	"errors"
	"time"
)

// watch stays in a step until it is known what comes next, and enters that.
func (j *job) watch(ctx context.Context) error {
	begun := time.Now()
	if err := j.check(ctx, j.cur.Plan.tree(j.cur.Step)); isChanged(err) {
		return err
	}
	measure := time.NewTicker(j.opts.Interval)
	defer measure.Stop()
	poll := time.NewTicker(j.opts.Poll)
	defer poll.Stop()
	held := ""
	for step := j.cur.Step; j.cur.Phase == Watching && j.cur.Step == step; {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-poll.C:
			if err := j.look(ctx); err != nil {
				return err
			}
		case <-measure.C:
			reason, err := j.measured(ctx, begun)
			if err != nil {
				return err
			}
			if reason != "" && reason != held {
				j.report(Event{Kind: EventHeld, Reason: reason})
			}
			held = reason
		}
	}
	return nil
}

// look gives a sign of life, does what others want, and sees whether the rule is
// still what it was made. A control plane that does not answer is no reason to stop.
func (j *job) look(ctx context.Context) error {
	err := j.once(ctx, func(ctx context.Context) error {
		if err := j.refresh(ctx); err != nil {
			return err
		}
		return j.check(ctx, j.cur.Plan.tree(j.cur.Step))
	})
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case isChanged(err) || permanent(err):
		return unwrapPermanent(err)
	case err != nil:
		j.unreachable(err)
		return nil
	}
	j.answers()
	switch j.cur.Wanted {
	case WantPause:
		return j.pause(ctx, "asked for")
	case WantRevert:
		return j.begin(ctx, RollingBack, j.cur.Step, "asked for")
	case WantPromote:
		return j.begin(ctx, Promoting, j.cur.Step, "asked for")
	case WantSkip:
		return j.next(ctx, Sample{})
	case WantNothing:
	}
	if time.Since(j.cur.Alive) < j.opts.Lease/3 {
		return nil
	}
	if err := j.once(ctx, func(ctx context.Context) error { return j.save(ctx, func(*State) {}) }); err != nil {
		if errors.Is(err, ErrTaken) || errors.Is(err, ErrGone) {
			return err
		}
		j.unreachable(err)
	}
	return nil
}

// once does something that the measuring must not wait for.
func (j *job) once(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, max(j.opts.Interval, j.opts.Poll))
	defer cancel()
	return do(ctx)
}

// measured measures the branches and enters the next phase if it is time for it. It
// returns why it is time and the step is held all the same.
func (j *job) measured(ctx context.Context, begun time.Time) (held string, err error) {
	p := j.cur.Plan
	window := time.Since(begun)
	older, newer, err := j.opts.Meter.Measure(ctx, window)
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err != nil {
		j.report(Event{Kind: EventSample, Err: err})
		return j.late(ctx, "cannot measure: "+err.Error())
	}
	j.report(Event{Kind: EventSample, Old: older, New: newer})
	breach := p.Limits.breach(older, newer, j.cur.Baseline)
	if breach == "" && window > j.opts.Recent {
		// What is recent may fail to be measured; the whole of the step decides then.
		if o, n, err := j.opts.Meter.Measure(ctx, j.opts.Recent); err == nil {
			breach = p.Limits.breach(o, n, j.cur.Baseline)
		}
	}
	if breach != "" {
		j.report(Event{Kind: EventBreach, Old: older, New: newer, Reason: breach})
		return "", j.begin(ctx, RollingBack, j.cur.Step, breach)
	}
	if wanting := p.Limits.wanting(p.Steps[j.cur.Step], older, newer, j.cur.Baseline); wanting != "" {
		return j.late(ctx, wanting)
	}
	if time.Now().Before(j.cur.Until) {
		return "", nil
	}
	return "", j.next(ctx, older)
}

// late is called with what is missing for the next step. The step is held for it if
// its time is over, but not for longer than the plan allows.
func (j *job) late(ctx context.Context, missing string) (held string, err error) {
	now := time.Now()
	switch {
	case now.Before(j.cur.Until):
		return "", nil
	case j.cur.Plan.NoData == HoldWithoutData || now.Before(j.cur.Until.Add(j.cur.Plan.HoldFor)):
		return missing, nil
	}
	return "", j.begin(ctx, RollingBack, j.cur.Step, "held for "+j.cur.Plan.HoldFor.String()+": "+missing)
}

// next enters the step after this one, or ends the rollout after the last one.
func (j *job) next(ctx context.Context, older Sample) error {
	last := j.cur.Step == len(j.cur.Plan.Steps)-1
	if last {
		if err := j.persist(ctx, func() error {
			err := j.check(ctx, j.cur.Plan.tree(j.cur.Step))
			if isChanged(err) {
				return permanentError{err}
			}
			return err
		}); err != nil {
			return err
		}
	}
	return j.enter(ctx, func(s *State) {
		s.Baseline = s.Plan.Limits.rebase(older, s.Baseline)
		if last {
			s.Phase, s.Outcome, s.Reason = Done, Promoted, ""
		} else {
			s.Phase, s.Step, s.Reason = Shifting, s.Step+1, ""
		}
	})
}

func isChanged(err error) bool {
	_, ok := errors.AsType[*ChangedError](err)
	return ok
}
