package rollout

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// ParseState reads a state from the dtab of its namespace.
func ParseState(d dtab.Dtab) (State, error) {
	var s State
	f := fields{}
	for _, e := range d {
		if !strings.HasPrefix(e.Prefix.String(), stateRoot+"/") || e.Dst.Op != dtab.Leaf {
			continue
		}
		key := strings.TrimPrefix(e.Prefix.String(), stateRoot+"/")
		if branch, rule, ok := strings.Cut(key, "/"); ok && (branch == "before" || branch == "after") {
			if err := readBranch(&s.Plan, branch, "/"+rule, e.Dst.Value); err != nil {
				return State{}, err
			}
			continue
		}
		text, err := pathWords(e.Dst.Value)
		if err != nil {
			return State{}, fmt.Errorf("rollout: the state says %s, which makes no sense: %w", e, err)
		}
		f[key] = text
	}
	if len(f) == 0 {
		return State{}, errors.New("rollout: the namespace has rules, but not those of a rollout")
	}
	if err := readState(&s, f); err != nil {
		return State{}, fmt.Errorf("rollout: the state makes no sense: %w", err)
	}
	return s, nil
}

// readBranch reads one of the rules that have the branches.
func readBranch(p *Plan, which, rule string, to dtab.Path) error {
	x, err := dtab.ParsePrefix(rule)
	if err != nil {
		return fmt.Errorf("rollout: the state makes no sense: %w", err)
	}
	if p.Rule.Len() > 0 && p.Rule != x {
		return fmt.Errorf("rollout: the state is of two rules, %s and %s", p.Rule, x)
	}
	p.Rule = x
	if which == "before" {
		p.Old = to
	} else {
		p.New = to
	}
	return nil
}

func readState(s *State, f fields) error {
	r := reader{f: f}
	if v := r.int("version"); r.err == nil && v != stateVersion {
		return fmt.Errorf("it is of version %d, and this program knows version %d", v, stateVersion)
	}
	s.Plan.Namespace = r.text("namespace")
	for i := 1; f["step/"+strconv.Itoa(i)] != ""; i++ {
		s.Plan.Steps = append(s.Plan.Steps, r.step("step/"+strconv.Itoa(i)))
	}
	for i := 1; f["note/"+strconv.Itoa(i)] != ""; i++ {
		s.Plan.Note = append(s.Plan.Note, f["note/"+strconv.Itoa(i)])
	}
	s.Plan.Limits = Limits{
		MinSuccess: r.float("limit/success"), MaxSuccessDrop: r.float("limit/drop"),
		MaxLatencyFactor: r.float("limit/latency-factor"), MaxLatency: r.duration("limit/latency"),
		Quantile: r.float("limit/quantile"), MinRequests: r.int("limit/requests"),
	}
	hold := r.words("hold", 3)
	s.Plan.HoldFor = r.durationOf("hold", hold[0])
	s.Plan.NoData = NoData(r.choice("hold", hold[2], "rollback", "hold"))
	s.Plan.OnInterrupt = Interrupt(r.choice("interrupt", f["interrupt"], "rollback", "pause"))
	s.Phase = Phase(r.parsed("phase", checkPhase))
	s.Step = r.intOf("at", r.words("at", 2)[1]) - 1
	s.Reason = f["reason"]
	if f["resumes"] != "" {
		s.Resumes = Phase(r.parsed("resumes", checkPhase))
	}
	s.Outcome = Outcome(f["outcome"])
	s.Baseline = r.sample("baseline")
	s.Started, s.Since, s.Until = r.time("started"), r.time("since"), r.time("until")
	s.Runner = f["runner"]
	alive := r.words("alive", 3)
	s.Alive, s.Lease = r.timeOf("alive", alive[0]), r.durationOf("alive", alive[2])
	s.Wanted = Want(r.parsed("wanted", checkWant))
	s.token, s.seq = r.text("token"), r.int("seq")
	if r.err == nil && (s.Step < -1 || s.Step >= len(s.Plan.Steps)) {
		return fmt.Errorf("it is in step %d of %d", s.Step+1, len(s.Plan.Steps))
	}
	if r.err == nil && s.Plan.Rule.Len() == 0 {
		return errors.New("it does not say which rule it is of")
	}
	return r.err
}
