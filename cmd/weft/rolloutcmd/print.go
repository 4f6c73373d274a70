package rolloutcmd

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/weft-mesh/weft/rollout"
)

// printer prints what happens, as it happens.
type printer struct {
	w      io.Writer
	json   bool
	reason string // of the phase
}

func (p *printer) event(e rollout.Event) {
	if e.Kind == rollout.EventPhase && e.State.Reason != "" {
		p.reason = e.State.Reason
	}
	if p.json {
		_ = printJSON(p.w, newEventJSON(e)) // who prints to a closed pipe has nobody to tell
		return
	}
	fmt.Fprintf(p.w, "%s %s\n", e.At.Format(time.TimeOnly), eventText(e))
}

func eventText(e rollout.Event) string {
	switch e.Kind {
	case rollout.EventPhase:
		return e.State.String()
	case rollout.EventShifted:
		return "  the rule is written"
	case rollout.EventSample:
		if e.Err != nil {
			return "  cannot measure: " + e.Err.Error()
		}
		return "  old " + sampleText(e.Old) + "; new " + sampleText(e.New)
	case rollout.EventHeld:
		return "  held: " + e.Reason
	case rollout.EventBreach:
		return "  breach: " + e.Reason
	case rollout.EventUnreachable:
		return "  namerd does not take it, trying on: " + e.Err.Error()
	case rollout.EventReachable:
		return "  namerd answers again"
	case rollout.EventEnd:
		if e.Err != nil {
			return "end, with an error: " + e.Err.Error()
		}
	}
	return "end"
}

func sampleText(s rollout.Sample) string {
	rate, ok := s.Rate()
	if !ok {
		return "no requests"
	}
	text := fmt.Sprintf("%.0f requests, %.2f%%", s.Requests, 100*rate)
	if s.Timed > 0 {
		text += fmt.Sprintf(", p95 %s, p99 %s", s.P95.Round(time.Millisecond), s.P99.Round(time.Millisecond))
	}
	return text
}

func (a *app) printPlan(w io.Writer, p rollout.Plan) error {
	if a.json {
		return printJSON(w, struct {
			Kind string   `json:"kind"`
			Plan planJSON `json:"plan"`
		}{"plan", newPlanJSON(p)})
	}
	_, err := io.WriteString(w, p.Text()+"\n")
	return err
}

func (a *app) printState(w io.Writer, s rollout.State) error {
	if a.json {
		return printJSON(w, newStateJSON(s))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "rollout of %s\n  from %s\n  to   %s\n", s.Plan.ID(), s.Plan.Old, s.Plan.New)
	fmt.Fprintf(&b, "%s, since %s\n", s, s.Since.Format(time.RFC3339))
	if !s.Until.IsZero() {
		fmt.Fprintf(&b, "watched until %s\n", s.Until.Format(time.RFC3339))
	}
	if s.Wanted != rollout.WantNothing {
		fmt.Fprintf(&b, "asked to %s\n", s.Wanted)
	}
	fmt.Fprintf(&b, "begun %s, run by %s, %s\n", s.Started.Format(time.RFC3339), s.Runner, life(s))
	_, err := io.WriteString(w, b.String())
	return err
}

// life says whether a process runs it.
func life(s rollout.State) string {
	ago := time.Since(s.Alive).Round(time.Second)
	switch {
	case s.Held(time.Now()):
		return fmt.Sprintf("last sign of life %s ago", ago)
	case s.Phase == rollout.Paused || s.Phase == rollout.Stopped:
		return "by nobody now"
	}
	return fmt.Sprintf("dead for %s", ago)
}

func (a *app) printList(w io.Writer, all []rollout.State) error {
	if a.json {
		for _, s := range all {
			if err := printJSON(w, newStateJSON(s)); err != nil {
				return err
			}
		}
		return nil
	}
	if len(all) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAMESPACE\tRULE\tNEW\tSTATE\tRUNNER")
	for _, s := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", s.Plan.Namespace, s.Plan.Rule, s.Plan.New, s, life(s))
	}
	return t.Flush()
}
