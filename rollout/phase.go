package rollout

import "errors"

// Phase is what a rollout is doing. It is written down before it is done.
type Phase string

// The phases.
const (
	Starting    Phase = "starting"     // nothing has been changed yet
	Shifting    Phase = "shifting"     // the weights of the step are being written
	Watching    Phase = "watching"     // the weights are in force
	Promoting   Phase = "promoting"    // the new branch is being given everything, without watching
	RollingBack Phase = "rolling-back" // the old rule is being put back
	Paused      Phase = "paused"       // nobody runs it
	Stopped     Phase = "stopped"      // somebody else has changed the rule
	Done        Phase = "done"         // the rule is in its final state; what is left is to delete the state
)

func checkPhase(s string) error {
	switch Phase(s) {
	case Starting, Shifting, Watching, Promoting, RollingBack, Paused, Stopped, Done:
		return nil
	}
	return errors.New("the name of a phase")
}

// forward reports whether the phase leads to more traffic for the new branch, so
// that an interrupt changes the direction.
func (p Phase) forward() bool {
	return p == Starting || p == Shifting || p == Watching || p == Promoting
}

// runs reports whether a process should be at work in this phase.
func (p Phase) runs() bool { return p.forward() || p == RollingBack || p == Done }

// Outcome is how a rollout ended.
type Outcome string

// The outcomes.
const (
	Unfinished Outcome = ""            // there is an error that says why
	Promoted   Outcome = "promoted"    // the rule says just the new branch
	RolledBack Outcome = "rolled-back" // the rule says what it said before
	Suspended  Outcome = "paused"      // the weights stay, and it can be resumed
)

// Want is what somebody else asks the process that runs a rollout for.
type Want string

// What can be asked for.
const (
	WantNothing Want = ""
	WantPause   Want = "pause"
	WantSkip    Want = "skip"    // the next step, now
	WantPromote Want = "promote" // everything for the new branch, now
	WantRevert  Want = "revert"
)

func checkWant(s string) error {
	switch Want(s) {
	case WantNothing, WantPause, WantSkip, WantPromote, WantRevert:
		return nil
	}
	return errors.New("something that can be asked for")
}
