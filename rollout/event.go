package rollout

import "time"

// Kind is what an Event is about.
type Kind string

// The kinds of event.
const (
	EventPhase       Kind = "phase"       // the phase has changed, State says to what
	EventShifted     Kind = "shifted"     // the rule says what the phase wanted
	EventSample      Kind = "sample"      // the branches were measured
	EventHeld        Kind = "held"        // the time of the step is over and the next one cannot begin; Reason says why
	EventBreach      Kind = "breach"      // the new branch does not keep to the limits; Reason says to which
	EventUnreachable Kind = "unreachable" // the control plane does not answer; Err says how. It is tried again
	EventReachable   Kind = "reachable"   // it does again
	EventEnd         Kind = "end"         // State.Outcome, or the phase paused or stopped
)

// Event is something that happened in a rollout.
type Event struct {
	At    time.Time
	Kind  Kind
	State State

	// Old and New are what was measured.
	Old, New Sample

	Reason string
	Err    error
}
