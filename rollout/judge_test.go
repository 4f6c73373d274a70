package rollout_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/rollout"
)

func sample(requests, failures float64) rollout.Sample {
	return rollout.Sample{Requests: requests, Successes: requests - failures}
}

func timed(p95 time.Duration, n float64) rollout.Sample {
	return rollout.Sample{Requests: n, Successes: n, Timed: n, P50: p95 / 2, P95: p95, P99: 2 * p95}
}

func TestBreach(t *testing.T) {
	drop := rollout.Limits{MaxLatencyFactor: -1}
	least := rollout.Limits{MaxLatencyFactor: -1, MaxSuccessDrop: -1, MinSuccess: 0.99}
	slow := rollout.Limits{}
	ms := time.Millisecond
	for _, v := range []struct {
		name                 string
		limits               rollout.Limits
		older, newer, before rollout.Sample
		want                 string // the beginning, "" for none
	}{
		{"a single failure", drop, sample(1000, 0), sample(20, 1), rollout.Sample{}, ""},
		{"two", least, sample(1000, 0), sample(20, 2), rollout.Sample{}, ""},
		{"too few requests", drop, sample(1000, 0), sample(19, 19), rollout.Sample{}, ""},
		{"all of few", drop, sample(1000, 0), sample(20, 20), rollout.Sample{}, "success rate 0% of 20 requests, more than 1 points below the old branch with 100%"},
		{"half", drop, sample(1000, 0), sample(20, 10), rollout.Sample{}, "success rate 50%"},
		{"within", drop, sample(10000, 0), sample(10000, 90), rollout.Sample{}, ""},
		{"beyond, not known", drop, sample(10000, 0), sample(1000, 15), rollout.Sample{}, ""},
		{"beyond, known", drop, sample(100000, 0), sample(100000, 1500), rollout.Sample{}, "success rate 98.5%"},
		{"old is as bad", drop, sample(1000, 500), sample(1000, 500), rollout.Sample{}, ""},
		{"no old, no baseline", drop, sample(0, 0), sample(1000, 1000), rollout.Sample{}, ""},
		{"baseline", drop, sample(0, 0), sample(1000, 100), sample(1000, 1), "success rate 90%"},
		{"least", least, sample(0, 0), sample(1000, 100), rollout.Sample{}, "success rate 90% of 1000 requests, below 99%"},
		{"least, within", least, sample(0, 0), sample(1000, 12), rollout.Sample{}, ""},
		{"slow", slow, timed(10*ms, 100), timed(23*ms, 100), rollout.Sample{}, "p95 23ms, more than 2 times the 10ms of the old branch"},
		{"slow, within, as latencies are cut to ms", slow, timed(10*ms, 100), timed(22*ms, 100), rollout.Sample{}, ""},
		{"slow, by few", slow, timed(10*ms, 100), timed(500*ms, 19), rollout.Sample{}, ""},
		{"slow, against the baseline", slow, rollout.Sample{}, timed(50*ms, 100), timed(10*ms, 100), "p95 50ms"},
		{"another quantile", rollout.Limits{Quantile: 0.99}, timed(10*ms, 100), timed(21*ms, 100), rollout.Sample{}, ""},
		{"absolute", rollout.Limits{MaxLatencyFactor: -1, MaxLatency: 20 * ms}, timed(100*ms, 100), timed(21*ms, 100), rollout.Sample{}, "p95 21ms, more than 20ms"},
	} {
		t.Run(v.name, func(t *testing.T) {
			got := rollout.Breach(v.limits, v.older, v.newer, v.before)
			if v.want == "" {
				assert.Empty(t, got)
			} else {
				assert.Contains(t, got, v.want)
				assert.NotEmpty(t, rollout.Wanting(v.limits, rollout.Step{}, v.older, v.newer, v.before)+got)
			}
		})
	}
}

func TestWanting(t *testing.T) {
	step := rollout.Step{MinRequests: 100}
	drop := rollout.Limits{MaxLatencyFactor: -1}
	ms := time.Millisecond
	for _, v := range []struct {
		name                 string
		limits               rollout.Limits
		older, newer, before rollout.Sample
		want                 string
	}{
		{"well", drop, sample(1000, 0), sample(100, 0), rollout.Sample{}, ""},
		{"few", drop, sample(1000, 0), sample(99, 0), rollout.Sample{}, "99 of 100 requests"},
		{"none", drop, rollout.Sample{}, rollout.Sample{}, rollout.Sample{}, "0 of 100 requests"},
		{"bad", drop, sample(1000, 0), sample(100, 2), rollout.Sample{}, "success rate 98%, more than 1 points below the old branch with 100%"},
		{"nothing to compare with", drop, rollout.Sample{}, sample(100, 0), rollout.Sample{}, "too few requests of the old branch to compare with"},
		{"but with the baseline", drop, rollout.Sample{}, sample(100, 0), sample(1000, 0), ""},
		{"or an absolute limit", rollout.Limits{MaxLatencyFactor: -1, MinSuccess: 0.9}, rollout.Sample{}, sample(100, 5), rollout.Sample{}, ""},
		{"that is not kept to", rollout.Limits{MaxLatencyFactor: -1, MinSuccess: 0.99}, rollout.Sample{}, sample(100, 5), rollout.Sample{}, "success rate 95%, below 99%"},
		{"no latencies", rollout.Limits{}, timed(ms, 1000), sample(100, 0), rollout.Sample{}, "latencies of only 0 of 20 requests"},
		{"nothing to compare them with", rollout.Limits{}, sample(1000, 0), timed(ms, 100), rollout.Sample{}, "too few latencies of the old branch to compare with"},
		{"fast", rollout.Limits{}, timed(ms, 1000), timed(ms, 100), rollout.Sample{}, ""},
	} {
		t.Run(v.name, func(t *testing.T) {
			assert.Equal(t, v.want, rollout.Wanting(v.limits, step, v.older, v.newer, v.before))
		})
	}
}

// TestWilson compares with values that R's binom.confint(methods = "wilson",
// conf.level = 2*pnorm(3)-1) is defined by: the roots of (p-x)² = 9 x(1-x)/n.
func TestWilson(t *testing.T) {
	for _, v := range []struct{ n, ok float64 }{{20, 20}, {20, 0}, {100, 99}, {1000, 500}, {5, 2}} {
		lower, upper := rollout.Wilson(rollout.Sample{Requests: v.n, Successes: v.ok})
		p := v.ok / v.n
		for _, x := range []float64{lower, upper} {
			assert.InDelta(t, (p-x)*(p-x), 9*x*(1-x)/v.n, 1e-9)
		}
		assert.LessOrEqual(t, lower, p)
		assert.GreaterOrEqual(t, upper, p)
	}
}

// TestFalseAlarms rolls out branches that are as good as the old one, and asks as
// often as a step of an hour does.
func TestFalseAlarms(t *testing.T) {
	limits := rollout.Limits{MaxLatencyFactor: -1}
	for _, rate := range []float64{0.9, 0.99, 0.999, 1} {
		alarms := 0
		const rollouts = 200
		for seed := range uint64(rollouts) {
			r := rand.New(rand.NewPCG(seed, 1))
			var older, newer rollout.Sample
			for range 300 {
				for range 10 {
					older.Requests++
					newer.Requests++
					if r.Float64() < rate {
						older.Successes++
					}
					if r.Float64() < rate {
						newer.Successes++
					}
				}
				if rollout.Breach(limits, older, newer, rollout.Sample{}) != "" {
					alarms++
					break
				}
			}
		}
		assert.LessOrEqual(t, alarms, rollouts/50, "success rate %v", rate)
	}
}
