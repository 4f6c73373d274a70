package rolloutcmd

import (
	"encoding/json"
	"io"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/rollout"
)

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

type planJSON struct {
	Namespace string     `json:"namespace"`
	Rule      string     `json:"rule"`
	Old       string     `json:"old"`
	New       string     `json:"new"`
	State     string     `json:"stateNamespace"`
	Steps     []stepJSON `json:"steps"`
}

type stepJSON struct {
	Weight      float64 `json:"weightPercent"`
	Dst         string  `json:"dst"`
	WatchFor    float64 `json:"watchForSeconds"`
	MinRequests int     `json:"minRequests"`
}

func newPlanJSON(p rollout.Plan) planJSON {
	j := planJSON{
		Namespace: p.Namespace, Rule: p.Rule.String(), Old: p.Old.String(), New: p.New.String(),
		State: rollout.StateNamespace(p.ID()),
	}
	for _, s := range p.Steps {
		j.Steps = append(j.Steps, stepJSON{
			Weight: float64(s.Weight) / 100, Dst: dtab.ShowTree(s.Weight.Tree(p.Old, p.New)),
			WatchFor: s.WatchFor.Seconds(), MinRequests: s.MinRequests,
		})
	}
	return j
}

type stateJSON struct {
	Namespace string     `json:"namespace"`
	Rule      string     `json:"rule"`
	Old       string     `json:"old"`
	New       string     `json:"new"`
	Phase     string     `json:"phase"`
	Step      int        `json:"step"` // from 1; 0 before the first
	Steps     int        `json:"steps"`
	Reason    string     `json:"reason,omitempty"`
	Outcome   string     `json:"outcome,omitempty"`
	Started   time.Time  `json:"started"`
	Since     time.Time  `json:"since"`
	Until     *time.Time `json:"until,omitempty"`
	Runner    string     `json:"runner"`
	Alive     time.Time  `json:"alive"`
	Held      bool       `json:"held"`
	Wanted    string     `json:"wanted,omitempty"`
}

func newStateJSON(s rollout.State) stateJSON {
	j := stateJSON{
		Namespace: s.Plan.Namespace, Rule: s.Plan.Rule.String(), Old: s.Plan.Old.String(), New: s.Plan.New.String(),
		Phase: string(s.Phase), Step: s.Step + 1, Steps: len(s.Plan.Steps), Reason: s.Reason, Outcome: string(s.Outcome),
		Started: s.Started, Since: s.Since, Runner: s.Runner, Alive: s.Alive, Held: s.Held(time.Now()), Wanted: string(s.Wanted),
	}
	if !s.Until.IsZero() {
		j.Until = &s.Until
	}
	return j
}

type sampleJSON struct {
	Requests  float64 `json:"requests"`
	Successes float64 `json:"successes"`
	Timed     float64 `json:"timed"`
	P50       float64 `json:"p50ms"`
	P95       float64 `json:"p95ms"`
	P99       float64 `json:"p99ms"`
}

func newSampleJSON(s rollout.Sample) *sampleJSON {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return &sampleJSON{s.Requests, s.Successes, s.Timed, ms(s.P50), ms(s.P95), ms(s.P99)}
}

type eventJSON struct {
	At     time.Time   `json:"at"`
	Kind   string      `json:"kind"`
	Reason string      `json:"reason,omitempty"`
	Error  string      `json:"error,omitempty"`
	Old    *sampleJSON `json:"old,omitempty"`
	New    *sampleJSON `json:"new,omitempty"`
	State  stateJSON   `json:"state"`
}

func newEventJSON(e rollout.Event) eventJSON {
	j := eventJSON{At: e.At, Kind: string(e.Kind), Reason: e.Reason, State: newStateJSON(e.State)}
	if e.Err != nil {
		j.Error = e.Err.Error()
	}
	if (e.Kind == rollout.EventSample || e.Kind == rollout.EventBreach) && e.Err == nil {
		j.Old, j.New = newSampleJSON(e.Old), newSampleJSON(e.New)
	}
	return j
}
