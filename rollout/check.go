package rollout

import (
	"errors"
	"fmt"
	"slices"

	"github.com/weft-mesh/weft/dtab"
)

// Check says what is wrong with the plan, given the dtab of its namespace. All
// problems are joined in the error.
func (p Plan) Check(d dtab.Dtab) error {
	p = p.withDefaults()
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("rollout: "+format, args...)) }
	if p.Namespace == "" {
		bad("no namespace is given")
	}
	if p.New.IsEmpty() {
		bad("no new branch is given")
	}
	if p.Rule.Len() == 0 {
		bad("no rule is given: want the prefix of the rule that is to be shifted, such as /svc/web")
	} else if says, err := single(d, p.ID()); err != nil {
		errs = append(errs, err)
	} else {
		if p.Old.IsEmpty() {
			p.Old = says
		}
		if p.Old != says {
			bad("the rule %s says %s, and not %s, which is to be the old branch", p.ID(), says, p.Old)
		}
		if p.Old == p.New {
			bad("the rule %s says %s already", p.ID(), p.New)
		}
	}
	return errors.Join(append(errs, p.checkSteps(), p.Limits.check())...)
}

// single returns the one leaf that the rule says.
func single(d dtab.Dtab, id ID) (dtab.Path, error) {
	i, err := find(d, id.Rule)
	if err != nil {
		return dtab.Path{}, fmt.Errorf("rollout: %w in %s%s", err, id.Namespace, others(d, id.Rule))
	}
	if t := d[i].Dst; t.Op != dtab.Leaf {
		return dtab.Path{}, fmt.Errorf("rollout: the rule %s says %s; want a single path, so that there is one old branch", id, dtab.ShowTree(t))
	}
	return d[i].Dst.Value, nil
}

var (
	errNoRule    = errors.New("there is no rule with the prefix")
	errManyRules = errors.New("there are several rules with the prefix")
)

// find returns the place of the one rule with a prefix.
func find(d dtab.Dtab, rule dtab.Prefix) (int, error) {
	at := -1
	for i, e := range d {
		switch {
		case e.Prefix != rule:
		case at >= 0:
			return -1, fmt.Errorf("%w %s", errManyRules, rule)
		default:
			at = i
		}
	}
	if at < 0 {
		return -1, fmt.Errorf("%w %s", errNoRule, rule)
	}
	return at, nil
}

// others names the rules that there are, for who has mistyped one.
func others(d dtab.Dtab, rule dtab.Prefix) string {
	const most = 10
	var names []string
	for _, e := range d {
		if s := e.Prefix.String(); e.Prefix != rule && !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	switch {
	case len(names) == 0:
		return ", which has no others"
	case len(names) > most:
		names = append(names[:most], "others")
	}
	return ", which has " + oneOf(names)
}

func (p Plan) checkSteps() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("rollout: "+format, args...)) }
	before := Weight(0)
	for i, s := range p.Steps {
		switch {
		case s.Weight <= 0 || s.Weight > All:
			bad("step %d has the weight %s; want more than 0%% and at most 100%%", i+1, s.Weight)
		case s.Weight <= before:
			bad("step %d has the weight %s, and the step before it %s; want ascending ones", i+1, s.Weight, before)
		}
		before = s.Weight
		if s.WatchFor < 0 || s.MinRequests < 0 {
			bad("step %d is watched for %s and %d requests; want no negative numbers", i+1, s.WatchFor, s.MinRequests)
		}
	}
	if before != All {
		bad("the last step has the weight %s; want 100%%, and pause the rollout to stay below", before)
	}
	if p.HoldFor < 0 {
		bad("steps are held for %s; want no negative duration", p.HoldFor)
	}
	return errors.Join(errs...)
}

func (l Limits) check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("rollout: "+format, args...)) }
	if l.MinSuccess > 1 {
		bad("the least success rate is %v; want a part of 1, such as 0.99", l.MinSuccess)
	}
	if l.MaxSuccessDrop > 1 {
		bad("the success rate may drop by %v; want a part of 1, such as 0.01", l.MaxSuccessDrop)
	}
	if l.MaxLatencyFactor > 0 && l.MaxLatencyFactor < 1 {
		bad("the latency may be %v times that of the old branch; want 1 or more", l.MaxLatencyFactor)
	}
	if l.Quantile != 0.5 && l.Quantile != 0.95 && l.Quantile != 0.99 {
		bad("the quantile %v of the latency is not measured; want 0.5, 0.95 or 0.99", l.Quantile)
	}
	if l.MinRequests < 0 {
		bad("a breach takes %d requests; want no negative number", l.MinRequests)
	}
	if !l.watchesSuccess() && !l.watchesLatency() {
		bad("no limit is left; want one at least of success and latency")
	}
	return errors.Join(errs...)
}
