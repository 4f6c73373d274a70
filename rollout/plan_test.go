package rollout_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/rollout"
)

func TestCheck(t *testing.T) {
	for _, v := range []struct {
		name   string
		dtab   string
		change func(*rollout.Plan)
		want   string
	}{
		{"good", "", func(*rollout.Plan) {}, ""},
		{"no namespace", "", func(p *rollout.Plan) { p.Namespace = "" }, "no namespace is given"},
		{"no new branch", "", func(p *rollout.Plan) { p.New = dtab.Path{} }, "no new branch is given"},
		{"no rule", "", func(p *rollout.Plan) { p.Rule = dtab.Prefix{} }, "no rule is given"},
		{"rule missing", "", func(p *rollout.Plan) { p.Rule = dtab.MustPrefix("/svc/wrld") }, "there is no rule with the prefix /svc/wrld in default, which has /svc or /svc/world"},
		{"rule missing in nothing", " ", func(*rollout.Plan) {}, "there is no rule with the prefix /svc/world in default, which has no others"},
		{"rule twice", "/svc/world=>/a;/svc/world=>/b", func(*rollout.Plan) {}, "there are several rules with the prefix /svc/world in default"},
		{"a union", "/svc/world=>1*/a & 2*/b", func(*rollout.Plan) {}, "the rule /svc/world in default says /a & 2.00*/b; want a single path"},
		{"an alternative", "/svc/world=>/a | /b", func(*rollout.Plan) {}, "want a single path"},
		{"negative", "/svc/world=>~", func(*rollout.Plan) {}, "want a single path"},
		{"new is old", "", func(p *rollout.Plan) { p.New = dtab.MustPath(oldRule) }, "the rule /svc/world in default says /srv/world-v1 already"},
		{"another old", "", func(p *rollout.Plan) { p.Old = dtab.MustPath("/srv/v0") }, "says /srv/world-v1, and not /srv/v0, which is to be the old branch"},
		{"the old that is", "", func(p *rollout.Plan) { p.Old = dtab.MustPath(oldRule) }, ""},
		{"not ascending", "", func(p *rollout.Plan) { p.Steps[1].Weight = rollout.Percent(1) }, "step 2 has the weight 1%, and the step before it 1%; want ascending ones"},
		{"nothing", "", func(p *rollout.Plan) { p.Steps[0].Weight = 0 }, "step 1 has the weight 0%"},
		{"too much", "", func(p *rollout.Plan) { p.Steps[2].Weight = rollout.Percent(101) }, "step 3 has the weight 101%"},
		{"not all", "", func(p *rollout.Plan) { p.Steps = p.Steps[:2] }, "the last step has the weight 10%; want 100%"},
		{"negative time", "", func(p *rollout.Plan) { p.Steps[0].WatchFor = -1 }, "want no negative numbers"},
		{"negative hold", "", func(p *rollout.Plan) { p.HoldFor = -1 }, "want no negative duration"},
		{"success", "", func(p *rollout.Plan) { p.Limits.MinSuccess = 99 }, "the least success rate is 99; want a part of 1"},
		{"drop", "", func(p *rollout.Plan) { p.Limits.MaxSuccessDrop = 5 }, "may drop by 5; want a part of 1"},
		{"factor", "", func(p *rollout.Plan) { p.Limits.MaxLatencyFactor = 0.5 }, "0.5 times that of the old branch; want 1 or more"},
		{"quantile", "", func(p *rollout.Plan) { p.Limits.Quantile = 0.9 }, "want 0.5, 0.95 or 0.99"},
		{"no limit", "", func(p *rollout.Plan) { p.Limits = rollout.Limits{MaxSuccessDrop: -1, MaxLatencyFactor: -1} }, "no limit is left"},
	} {
		t.Run(v.name, func(t *testing.T) {
			p := plan()
			v.change(&p)
			d := dtab.MustParse("/svc => /srv;/svc/world=>" + oldRule)
			if v.dtab != "" {
				d = dtab.MustParse(v.dtab)
			}
			err := p.Check(d)
			if v.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, v.want)
			}
		})
	}
	require.NoError(t, rollout.Plan{Namespace: "default", Rule: dtab.MustPrefix(rule), New: dtab.MustPath(newRule)}.Check(dtab.MustParse(rule+"=>"+oldRule)), "the defaults")
}

func TestPlanText(t *testing.T) {
	p := plan()
	p.Old = dtab.MustPath(oldRule)
	p.Limits = rollout.Limits{MinSuccess: 0.999, MaxLatency: 250 * time.Millisecond, Quantile: 0.99}
	assert.Equal(t, `rollout of /svc/world in default
  from /srv/world-v1
  to   /srv/world-v2
state in the namespace default-rollout-svc-world

step 1 of 3: 1%, watched for 20s and 50 requests at least
  - /svc/world => /srv/world-v1 ;
  + /svc/world => /srv/world-v2 & 99.00*/srv/world-v1 ;

step 2 of 3: 10%, watched for 20s and 50 requests at least
  - /svc/world => /srv/world-v2 & 99.00*/srv/world-v1 ;
  + /svc/world => 10.00*/srv/world-v2 & 90.00*/srv/world-v1 ;

step 3 of 3: 100%, watched for 20s and 50 requests at least
  - /svc/world => 10.00*/srv/world-v2 & 90.00*/srv/world-v1 ;
  + /svc/world => /srv/world-v2 ;

limit: success rate of at least 99.9%
limit: success rate at most 1 points below the old branch
limit: p99 of the latency at most 2 times that of the old branch
limit: p99 of the latency at most 250ms
on breach: /svc/world => /srv/world-v1 ;
on interrupt: the same
a step that cannot be judged: held for 10m0s, then rolled back
`, p.Text())
}

func TestPrepare(t *testing.T) {
	w := newWorld(t)
	r := w.runner(w.dtabs())
	p, err := r.Prepare(t.Context(), plan())
	require.NoError(t, err)
	assert.Equal(t, oldRule, p.Old.String())
	missing := plan()
	missing.Namespace = "default2"
	_, err = r.Prepare(t.Context(), missing)
	require.EqualError(t, err, "rollout: there is no namespace default2")
	_, err = r.Prepare(t.Context(), rollout.Plan{})
	require.ErrorContains(t, err, "no namespace is given")
	assert.Empty(t, w.rules)
}

func TestWeights(t *testing.T) {
	for text, want := range map[string]rollout.Weight{"1%": 100, "0.5%": 50, "12.25 %": 12_25, "100%": rollout.All, "0.01%": 1} {
		w, err := rollout.ParseWeight(text)
		require.NoError(t, err)
		assert.Equal(t, want, w, text)
	}
	for _, text := range []string{"", "1", "%", "101%", "-1%", "1.234%", "x%", "+1%", "1e1%", ".5%", "0x1%", "1_0%"} {
		_, err := rollout.ParseWeight(text)
		require.ErrorContains(t, err, "is not a weight", text)
	}
	// The text of a tree, which stores keep, has all of a weight.
	rapid.Check(t, func(t *rapid.T) {
		w := rollout.Weight(rapid.IntRange(1, 100_00).Draw(t, "weight"))
		again, err := rollout.ParseWeight(w.String())
		require.NoError(t, err)
		require.Equal(t, w, again)
		tree := w.Tree(dtab.MustPath("/a"), dtab.MustPath("/b"))
		require.True(t, dtab.Equal(tree, dtab.MustTree(dtab.ShowTree(tree))), dtab.ShowTree(tree))
	})
}
