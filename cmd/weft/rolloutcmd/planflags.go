package rolloutcmd

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/rollout"
)

// ruleFlags say which rule is meant.
type ruleFlags struct{ namespace, rule string }

func (r *ruleFlags) register(f *pflag.FlagSet, otherwise string) {
	f.StringVarP(&r.namespace, "namespace", "n", "default", "namespace of the rule")
	f.StringVar(&r.rule, "rule", "", "prefix of the rule, such as /svc/world"+otherwise)
}

func (r *ruleFlags) id() (rollout.ID, error) {
	if r.rule == "" {
		return rollout.ID{}, usagef("--rule is required: the prefix of the rule that is to be shifted, such as /svc/world")
	}
	x, err := dtab.ParsePrefix(r.rule)
	if err != nil {
		return rollout.ID{}, usagef("--rule: %w", err)
	}
	return rollout.ID{Namespace: r.namespace, Rule: x}, nil
}

// planFlags are those of a plan.
type planFlags struct {
	ruleFlags
	older, newer string
	steps        string
	watchFor     time.Duration
	minRequests  int

	minSuccess, maxDrop string
	maxFactor           float64
	maxLatency          time.Duration
	quantile            float64
	breachRequests      int

	holdFor             time.Duration
	noData, onInterrupt string
}

func (p *planFlags) register(f *pflag.FlagSet) {
	p.ruleFlags.register(f, "")
	f.StringVar(&p.newer, "new", "", "new branch, such as /srv/world-v2")
	f.StringVar(&p.older, "old", "", "old branch (default: what the rule says)")
	f.StringVar(&p.steps, "steps", "1%,10%,50%,100%", "weights of the new branch, each with a time to be watched for if it has one of its own, as in 10%:5m")
	f.DurationVar(&p.watchFor, "watch-for", time.Minute, "how long each step is watched")
	f.IntVar(&p.minRequests, "min-requests", 100, "how many requests the new branch must have in a step")
	f.StringVar(&p.minSuccess, "min-success", "", "least success rate of the new branch, such as 99%")
	f.StringVar(&p.maxDrop, "max-success-drop", "1%", "how far its success rate may be below that of the old branch, or none")
	f.Float64Var(&p.maxFactor, "max-latency-factor", 2, "how many times the latency of the old branch its latency may be; -1 is no limit")
	f.DurationVar(&p.maxLatency, "max-latency", 0, "the most that its latency may be; 0 is no limit")
	f.Float64Var(&p.quantile, "latency-quantile", 0.95, "quantile of the latencies: 0.5, 0.95 or 0.99")
	f.IntVar(&p.breachRequests, "breach-requests", 20, "how many requests a breach takes at least")
	f.DurationVar(&p.holdFor, "hold-for", 10*time.Minute, "how much longer a step may last that cannot be judged")
	f.StringVar(&p.noData, "no-data", "rollback", "what is done after that: rollback, or hold for as long as it takes")
	f.StringVar(&p.onInterrupt, "on-interrupt", "rollback", "what SIGINT and SIGTERM do: rollback or pause")
}

func (p *planFlags) plan() (rollout.Plan, error) {
	id, err := p.id()
	if err != nil {
		return rollout.Plan{}, err
	}
	plan := rollout.Plan{Namespace: id.Namespace, Rule: id.Rule, HoldFor: p.holdFor}
	if p.newer == "" {
		return plan, usagef("--new is required: the path of the new branch, such as /srv/world-v2")
	}
	if plan.New, err = dtab.ParsePath(p.newer); err != nil {
		return plan, usagef("--new: %w", err)
	}
	if p.older != "" {
		if plan.Old, err = dtab.ParsePath(p.older); err != nil {
			return plan, usagef("--old: %w", err)
		}
	}
	if plan.Steps, err = p.parseSteps(); err != nil {
		return plan, err
	}
	if plan.Limits, err = p.limits(); err != nil {
		return plan, err
	}
	switch p.noData {
	case "rollback":
	case "hold":
		plan.NoData = rollout.HoldWithoutData
	default:
		return plan, usagef("--no-data: %q is neither rollback nor hold", p.noData)
	}
	plan.OnInterrupt, err = parseInterrupt(p.onInterrupt)
	return plan, err
}

func parseInterrupt(text string) (rollout.Interrupt, error) {
	switch text {
	case "rollback":
		return rollout.RollBackOnInterrupt, nil
	case "pause":
		return rollout.PauseOnInterrupt, nil
	}
	return 0, usagef("--on-interrupt: %q is neither rollback nor pause", text)
}

// parseSteps reads 1%,10%:5m,100%.
func (p *planFlags) parseSteps() ([]rollout.Step, error) {
	if p.watchFor <= 0 {
		return nil, usagef("--watch-for: %s; want a time that can be watched, such as 1m", p.watchFor)
	}
	if p.minRequests <= 0 {
		return nil, usagef("--min-requests: %d; want 1 at least, as nothing is promoted that had no request", p.minRequests)
	}
	var steps []rollout.Step
	for text := range strings.SplitSeq(p.steps, ",") {
		weight, watch, own := strings.Cut(strings.TrimSpace(text), ":")
		s := rollout.Step{WatchFor: p.watchFor, MinRequests: p.minRequests}
		var err error
		if s.Weight, err = rollout.ParseWeight(weight); err != nil {
			return nil, usagef("--steps: %w", err)
		}
		if own {
			if s.WatchFor, err = time.ParseDuration(watch); err != nil || s.WatchFor <= 0 {
				return nil, usagef("--steps: %q is not a time such as 5m", watch)
			}
		}
		steps = append(steps, s)
	}
	return steps, nil
}

func (p *planFlags) limits() (rollout.Limits, error) {
	l := rollout.Limits{MaxLatencyFactor: p.maxFactor, MaxLatency: p.maxLatency, Quantile: p.quantile, MinRequests: p.breachRequests}
	if p.maxFactor == 0 {
		l.MaxLatencyFactor = -1
	}
	var err error
	if p.minSuccess != "" {
		if l.MinSuccess, err = parsePart("--min-success", p.minSuccess); err != nil {
			return l, err
		}
	}
	if p.maxDrop == "none" {
		l.MaxSuccessDrop = -1
		return l, nil
	}
	l.MaxSuccessDrop, err = parsePart("--max-success-drop", p.maxDrop)
	if err == nil && l.MaxSuccessDrop == 0 {
		l.MaxSuccessDrop = smallestDrop // zero is the default
	}
	return l, err
}

// smallestDrop is none that any number of requests shows.
const smallestDrop = 1e-12

// parsePart reads 99% or 0.99.
func parsePart(flag, text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	f, err := strconv.ParseFloat(number, 64)
	if percent {
		f /= 100
	}
	if err != nil || !(f >= 0 && f <= 1) {
		return 0, usagef("%s: %q is not a part such as 99%% or 0.99", flag, text)
	}
	return f, nil
}
