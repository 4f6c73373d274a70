package rollout

import (
	"slices"
	"time"

	"github.com/weft-mesh/weft/dtab"
)

// Plan is what is to be shifted, how, and within which limits. Namespace, Rule and
// New are required.
type Plan struct {
	// Namespace has the rule.
	Namespace string

	// Rule is the prefix of the rule that is shifted. There must be one rule with just
	// this prefix, and its destination must be Old.
	Rule dtab.Prefix

	// Old and New are the branches. An Old that is empty is what the rule says when
	// the rollout starts.
	Old, New dtab.Path

	// Steps are gone through in order. The last one must have all of the traffic. Nil
	// is 1 %, 10 %, 50 % and 100 %.
	Steps []Step

	// Limits are what the new branch must keep to.
	Limits Limits

	// HoldFor is how much longer than planned a step may last because there is too
	// little to judge by, or because what there is does not do and is not enough to
	// condemn the new branch. Then NoData says what is done. Zero is 10 minutes.
	HoldFor time.Duration
	NoData  NoData

	// OnInterrupt says what is done when the context ends.
	OnInterrupt Interrupt

	// Note is kept with the state, for whoever resumes: such as how to measure. It is
	// words, without a meaning to this package.
	Note []string
}

// Step is one weight of the new branch.
type Step struct {
	Weight Weight

	// WatchFor is how long it is watched. Zero is a minute.
	WatchFor time.Duration

	// MinRequests is how many requests the new branch must have had before the next
	// step. Zero is 100.
	MinRequests int
}

// NoData is what is done with a step that could not be judged in time.
type NoData int

// What is done.
const (
	RollBackWithoutData NoData = iota // the old rule is put back
	HoldWithoutData                   // the step goes on until there is enough, or somebody decides
)

// Interrupt is what is done when a Runner's context ends.
type Interrupt int

// What is done.
const (
	RollBackOnInterrupt Interrupt = iota // the old rule is put back
	PauseOnInterrupt                     // the weights stay, and the rollout can be resumed
)

// withDefaults returns p with the defaults filled in.
func (p Plan) withDefaults() Plan {
	if len(p.Steps) == 0 {
		p.Steps = []Step{{Weight: Percent(1)}, {Weight: Percent(10)}, {Weight: Percent(50)}, {Weight: All}}
	}
	p.Steps = slices.Clone(p.Steps)
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.WatchFor == 0 {
			s.WatchFor = time.Minute
		}
		if s.MinRequests == 0 {
			s.MinRequests = 100
		}
	}
	p.Limits = p.Limits.withDefaults()
	if p.HoldFor == 0 {
		p.HoldFor = 10 * time.Minute
	}
	return p
}

// tree is what the rule says in a step; step -1 is before the first one.
func (p Plan) tree(step int) dtab.Tree[dtab.Path] {
	if step < 0 {
		return dtab.LeafOf(p.Old)
	}
	return p.Steps[step].Weight.Tree(p.Old, p.New)
}

// trees are all that the rule says in the course of the plan.
func (p Plan) trees() []dtab.Tree[dtab.Path] {
	ts := []dtab.Tree[dtab.Path]{p.tree(-1)}
	for i := range p.Steps {
		ts = append(ts, p.tree(i))
	}
	return ts
}

// ID identifies a rollout: there is at most one of a rule.
type ID struct {
	Namespace string
	Rule      dtab.Prefix
}

// ID returns the rollout's.
func (p Plan) ID() ID { return ID{p.Namespace, p.Rule} }

// String returns "/svc/world in default".
func (id ID) String() string { return id.Rule.String() + " in " + id.Namespace }
