package rollout

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/weft-mesh/weft/dtab"
)

// What keeps a rollout from being begun or continued.
var (
	ErrNone  = errors.New("rollout: there is none")
	ErrTaken = errors.New("rollout: another process has taken it over")
	ErrGone  = errors.New("rollout: its state was deleted by somebody else; the rule was left as it is")
)

// HeldError says that there is a rollout of the rule already.
type HeldError struct {
	State State
	Now   time.Time
}

// Error says who runs it since when, or how to go on with one that nobody runs.
func (e *HeldError) Error() string {
	s := e.State
	text := fmt.Sprintf("there is a rollout of %s already, begun %s by %s: %s",
		s.Plan.ID(), s.Started.Format(time.RFC3339), s.Runner, s)
	if s.Held(e.Now) {
		return text + fmt.Sprintf("; last sign of life %s ago", e.Now.Sub(s.Alive).Round(time.Second))
	}
	return text + "; nobody runs it now: resume it or revert it"
}

// ChangedError says that somebody else has changed the rule.
type ChangedError struct {
	ID ID

	// Says is what the rule says, empty if there is no such rule or more than one.
	Says string

	// Want is what it should say.
	Want []string
}

// Error says what the rule says and what it should.
func (e *ChangedError) Error() string {
	says := "it is missing, or there are several"
	if e.Says != "" {
		says = "it says " + e.Says
	}
	return fmt.Sprintf("somebody else has changed the rule %s: %s, and not %s; it was left as it is", e.ID, says, oneOf(e.Want))
}

func oneOf(texts []string) string { return strings.Join(texts, " or ") }

func shown(ts []dtab.Tree[dtab.Path]) []string {
	texts := make([]string, 0, len(ts))
	for _, t := range ts {
		texts = append(texts, dtab.ShowTree(t))
	}
	return texts
}
