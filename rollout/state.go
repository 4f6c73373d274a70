package rollout

import (
	"fmt"
	"time"
)

// State is how far a rollout has got, as the control plane has it.
type State struct {
	Plan  Plan
	Phase Phase

	// Step is the one of Plan.Steps that Phase is about, -1 before the first one.
	Step int

	// Reason says why it is in this phase, if there is more to say.
	Reason string

	// Resumes is the phase with which one that is paused or stopped goes on.
	Resumes Phase

	// Outcome is that of one that is done.
	Outcome Outcome

	// Baseline is what the old branch did when it was last compared, which the last
	// step is compared with.
	Baseline Sample

	// Started is when it was, Since when the phase began, and Until when the step ends
	// at the earliest.
	Started, Since, Until time.Time

	// Runner says who runs it. Alive is when it last gave a sign of life, and Lease
	// how long it is taken to be alive after that.
	Runner string
	Alive  time.Time
	Lease  time.Duration

	// Wanted is what somebody asks the runner for.
	Wanted Want

	token string // of the process that runs it
	seq   int    // counts what the process has written
}

// Held reports whether a process must be taken to be at work on it at a time.
func (s State) Held(now time.Time) bool {
	return s.Phase.runs() && now.Before(s.Alive.Add(s.Lease))
}

// enter returns s with when the phase begins, and when it ends at the earliest.
func (s State) enter(now time.Time) State {
	s.Since, s.Until = now, time.Time{}
	if s.Phase == Watching {
		s.Until = now.Add(s.Plan.Steps[s.Step].WatchFor)
	}
	return s
}

// String describes the state in a line.
func (s State) String() string {
	text := string(s.Phase)
	if s.Step >= 0 && s.Phase != Done {
		text += fmt.Sprintf(" step %d of %d (%s)", s.Step+1, len(s.Plan.Steps), s.Plan.Steps[s.Step].Weight)
	}
	if s.Phase == Done {
		text += ", " + string(s.Outcome)
	}
	if s.Reason != "" {
		text += ": " + s.Reason
	}
	return text
}
