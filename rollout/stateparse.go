package rollout

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

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
			if err := s.branch(branch, "/"+rule, e.Dst.Value); err != nil {
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
	if err := s.read(f); err != nil {
		return State{}, fmt.Errorf("rollout: the state makes no sense: %w", err)
	}
	return s, nil
}

// branch reads one of the rules that have the branches.
func (s *State) branch(which, rule string, to dtab.Path) error {
	x, err := dtab.ParsePrefix(rule)
	if err != nil {
		return fmt.Errorf("rollout: the state makes no sense: %w", err)
	}
	if s.Plan.Rule.Len() > 0 && s.Plan.Rule != x {
		return fmt.Errorf("rollout: the state is of two rules, %s and %s", s.Plan.Rule, x)
	}
	s.Plan.Rule = x
	if which == "before" {
		s.Plan.Old = to
	} else {
		s.Plan.New = to
	}
	return nil
}

func (s *State) read(f fields) error {
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
	s.Phase = Phase(r.parsed("phase", func(t string) error { _, err := parsePhase(t); return err }))
	s.Step = r.intOf("at", r.words("at", 2)[1]) - 1
	s.Reason = f["reason"]
	if f["resumes"] != "" {
		s.Resumes = Phase(r.parsed("resumes", func(t string) error { _, err := parsePhase(t); return err }))
	}
	s.Outcome = Outcome(f["outcome"])
	s.Baseline = r.sample("baseline")
	s.Started, s.Since, s.Until = r.time("started"), r.time("since"), r.time("until")
	s.Runner = f["runner"]
	alive := r.words("alive", 3)
	s.Alive, s.Lease = r.timeOf("alive", alive[0]), r.durationOf("alive", alive[2])
	s.Wanted = Want(r.parsed("wanted", func(t string) error { _, err := parseWant(t); return err }))
	s.token, s.seq = r.text("token"), r.int("seq")
	if r.err == nil && (s.Step < -1 || s.Step >= len(s.Plan.Steps)) {
		return fmt.Errorf("it is in step %d of %d", s.Step+1, len(s.Plan.Steps))
	}
	if r.err == nil && s.Plan.Rule.Len() == 0 {
		return errors.New("it does not say which rule it is of")
	}
	return r.err
}

// fields are the texts of the rules of a state.
type fields map[string]string

// reader reads fields and keeps the first error.
type reader struct {
	f   fields
	err error
}

func (r *reader) fail(key, text, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s/%s says %q; want %s", stateRoot, key, text, want)
	}
}

func (r *reader) text(key string) string {
	if r.f[key] == "" {
		r.fail(key, "", "something")
	}
	return r.f[key]
}

func (r *reader) parsed(key string, check func(string) error) string {
	if err := check(r.f[key]); err != nil {
		r.fail(key, r.f[key], err.Error())
	}
	return r.f[key]
}

// words returns just n words.
func (r *reader) words(key string, n int) []string {
	words := strings.Fields(r.f[key])
	if len(words) != n {
		r.fail(key, r.f[key], strconv.Itoa(n)+" words")
		return make([]string, n)
	}
	return words
}

func (r *reader) int(key string) int { return r.intOf(key, r.f[key]) }

func (r *reader) intOf(key, text string) int {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		r.fail(key, text, "a number")
	}
	return int(n)
}

func (r *reader) float(key string) float64 { return r.floatOf(key, r.f[key]) }

func (r *reader) floatOf(key, text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		r.fail(key, text, "a number")
		return 0
	}
	return n
}

func (r *reader) duration(key string) time.Duration { return r.durationOf(key, r.f[key]) }

func (r *reader) durationOf(key, text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		r.fail(key, text, "a duration such as 1m30s")
	}
	return d
}

func (r *reader) time(key string) time.Time {
	if r.f[key] == "" {
		return time.Time{}
	}
	return r.timeOf(key, r.f[key])
}

func (r *reader) timeOf(key, text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		r.fail(key, text, "a time")
	}
	return t
}

func (r *reader) choice(key, text string, choices ...string) int {
	for i, c := range choices {
		if c == text {
			return i
		}
	}
	r.fail(key, text, oneOf(choices))
	return 0
}

func (r *reader) step(key string) Step {
	w := r.words(key, 6) // 10 percent for 1m0s requests 100
	weight, err := ParseWeight(w[0] + "%")
	if err != nil {
		r.fail(key, r.f[key], "a percentage")
	}
	return Step{Weight: weight, WatchFor: r.durationOf(key, w[3]), MinRequests: r.intOf(key, w[5])}
}

func (r *reader) sample(key string) Sample {
	if r.f[key] == "" {
		return Sample{}
	}
	w := r.words(key, 12)
	return Sample{
		Requests: r.floatOf(key, w[1]), Successes: r.floatOf(key, w[3]), Timed: r.floatOf(key, w[5]),
		P50: r.durationOf(key, w[7]), P95: r.durationOf(key, w[9]), P99: r.durationOf(key, w[11]),
	}
}
