package rollout

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// Text returns the plan for people: what each step changes, and the limits.
func (p Plan) Text() string {
	p = p.withDefaults()
	var b strings.Builder
	fmt.Fprintf(&b, "rollout of %s\n  from %s\n  to   %s\n", p.ID(), p.Old, p.New)
	fmt.Fprintf(&b, "state in the namespace %s\n", StateNamespace(p.ID()))
	before := p.tree(-1)
	for i, s := range p.Steps {
		fmt.Fprintf(&b, "\nstep %d of %d: %s, watched for %s and %d requests at least\n", i+1, len(p.Steps), s.Weight, s.WatchFor, s.MinRequests)
		after := p.tree(i)
		fmt.Fprintf(&b, "  - %s => %s ;\n  + %s => %s ;\n", p.Rule, dtab.ShowTree(before), p.Rule, dtab.ShowTree(after))
		before = after
	}
	b.WriteString("\n")
	for _, l := range p.Limits.lines() {
		fmt.Fprintf(&b, "limit: %s\n", l)
	}
	fmt.Fprintf(&b, "on breach: %s => %s ;\n", p.Rule, p.Old)
	fmt.Fprintf(&b, "on interrupt: %s\n", choose(p.OnInterrupt == PauseOnInterrupt,
		"pause, with the weights as they are", "the same"))
	fmt.Fprintf(&b, "a step that cannot be judged: held for %s, then %s\n", p.HoldFor, choose(p.NoData == HoldWithoutData,
		"for as long as it takes", "rolled back"))
	return b.String()
}

func (l Limits) lines() []string {
	var lines []string
	if l.MinSuccess > 0 {
		lines = append(lines, "success rate of at least "+percent(l.MinSuccess))
	}
	if l.MaxSuccessDrop >= 0 {
		lines = append(lines, fmt.Sprintf("success rate at most %s points below the old branch", points(l.MaxSuccessDrop)))
	}
	if l.MaxLatencyFactor > 0 {
		lines = append(lines, fmt.Sprintf("p%s of the latency at most %s times that of the old branch", number(100*l.Quantile), number(l.MaxLatencyFactor)))
	}
	if l.MaxLatency > 0 {
		lines = append(lines, fmt.Sprintf("p%s of the latency at most %s", number(100*l.Quantile), l.MaxLatency))
	}
	return lines
}

// points shows a difference of parts of 1 as percentage points.
func points(f float64) string { return strconv.FormatFloat(100*f, 'g', 4, 64) }

// percent shows a part of 1 with two decimals at most, rounded down, so that what is
// below a limit does not look as if it were not.
func percent(f float64) string {
	return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.2f", float64(int(f*1e4+1e-9))/100), "0"), ".") + "%"
}
