package rollout

import (
	"context"
	"errors"
	"time"

	"github.com/weft-mesh/weft/dtab"
)

// job is a rollout that this process runs.
type job struct {
	*ledger
	cleared bool // the interrupt was answered
}

// errGaveUp is why a write is not tried any more.
var errGaveUp = errors.New("rollout: gave up: the control plane did not take the write after the interrupt")

// run goes from phase to phase until the rollout ends or cannot go on.
func (r *Runner) run(ctx context.Context, l *ledger) (Outcome, error) {
	hard, cancel := outlast(ctx, r.opts.GiveUp)
	defer cancel()
	j := &job{ledger: l}
	for {
		phase := j.cur.Phase
		if phase.forward() && ctx.Err() != nil && !j.cleared {
			j.cleared = true
			if err := j.interrupt(hard); err != nil {
				return j.fail(hard, err)
			}
			continue
		}
		way := ctx
		if j.cleared {
			way = hard
		}
		var err error
		switch phase {
		case Starting:
			err = j.begin(way, Shifting, 0, "")
		case Shifting:
			err = j.shift(way)
		case Watching:
			err = j.watch(way)
		case Promoting:
			if err = j.reach(way, j.cur.Plan.tree(len(j.cur.Plan.Steps)-1), j.around()...); err == nil {
				err = j.done(way, Promoted)
			}
		case RollingBack:
			if err = j.reach(hard, j.cur.Plan.tree(-1), j.cur.Plan.trees()...); err == nil {
				err = j.done(hard, RolledBack)
			}
		case Done:
			err := j.remove(hard)
			j.report(Event{Kind: EventEnd, Err: err})
			return j.cur.Outcome, nil
		case Paused:
			j.report(Event{Kind: EventEnd})
			return Suspended, nil
		case Stopped:
			return Unfinished, errors.New("rollout: stopped: " + j.cur.Reason)
		}
		if err != nil && (ctx.Err() == nil || j.cleared || !phase.forward()) {
			return j.fail(hard, err)
		}
	}
}

// give ends a rollout that was taken over and cannot be run.
func (r *Runner) give(ctx context.Context, l *ledger, err error) (Outcome, error) {
	hard, cancel := outlast(ctx, r.opts.GiveUp)
	defer cancel()
	return (&job{ledger: l}).fail(hard, err)
}

// outlast returns a context that ends a time after ctx has.
func outlast(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	hard, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-ctx.Done():
		case <-hard.Done():
			return
		}
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			cancel(errGaveUp)
		case <-hard.Done():
		}
	}()
	return hard, func() {
		cancel(context.Canceled)
		<-ended
	}
}

// fail leaves a rollout that cannot go on. If somebody else has changed the rule, the
// state says so.
func (j *job) fail(ctx context.Context, err error) (Outcome, error) {
	if _, ok := errors.AsType[*ChangedError](err); ok {
		if failed := j.save(ctx, func(s *State) {
			s.Resumes, s.Phase, s.Reason, s.Since = s.Phase, Stopped, err.Error(), time.Now()
		}); failed != nil {
			return Unfinished, errors.Join(err, failed)
		}
		j.report(Event{Kind: EventEnd, Err: err})
	}
	return Unfinished, err
}

// interrupt does what the plan says for the end of the context.
func (j *job) interrupt(ctx context.Context) error {
	switch {
	case j.cur.Plan.OnInterrupt == RollBackOnInterrupt:
		return j.begin(ctx, RollingBack, j.cur.Step, "interrupted")
	case j.cur.Phase == Promoting:
		return nil // it was asked for, and is about to be done
	}
	return j.pause(ctx, "interrupted")
}

func (j *job) pause(ctx context.Context, reason string) error {
	return j.enter(ctx, func(s *State) {
		s.Resumes, s.Phase, s.Reason = s.Phase, Paused, reason
	})
}

// begin enters a phase.
func (j *job) begin(ctx context.Context, p Phase, step int, reason string) error {
	return j.enter(ctx, func(s *State) { s.Phase, s.Step, s.Reason = p, step, reason })
}

func (j *job) done(ctx context.Context, o Outcome) error {
	return j.enter(ctx, func(s *State) { s.Phase, s.Outcome = Done, o })
}

// enter writes a change of phase. What was wanted is dealt with by it, or too late.
func (j *job) enter(ctx context.Context, change func(*State)) error {
	now := time.Now()
	if err := j.save(ctx, func(s *State) {
		change(s)
		*s = s.enter(now)
		s.Wanted = WantNothing
	}); err != nil {
		return err
	}
	j.report(Event{Kind: EventPhase, Reason: j.cur.Reason})
	return nil
}

// shift makes the weights of a step and the phase that watches them.
func (j *job) shift(ctx context.Context) error {
	if err := j.reach(ctx, j.cur.Plan.tree(j.cur.Step), j.cur.Plan.tree(j.cur.Step-1)); err != nil {
		return err
	}
	return j.begin(ctx, Watching, j.cur.Step, "")
}

func (j *job) reach(ctx context.Context, to dtab.Tree[dtab.Path], from ...dtab.Tree[dtab.Path]) error {
	if err := j.move(ctx, to, from...); err != nil {
		return err
	}
	j.report(Event{Kind: EventShifted})
	return nil
}

// around is what the rule can say in a step that may not have been reached yet.
func (j *job) around() []dtab.Tree[dtab.Path] {
	p, i := j.cur.Plan, j.cur.Step
	if i < 0 {
		return []dtab.Tree[dtab.Path]{p.tree(-1)}
	}
	return []dtab.Tree[dtab.Path]{p.tree(i - 1), p.tree(i)}
}
