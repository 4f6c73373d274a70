package rollout_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/rollout"
)

func TestTheStateCanBeReadByPeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := plan()
		p.Note = []string{"--proxy=http://10.0.0.7:9990"}
		run := async(func() (rollout.Outcome, error) { return w.runner(w.dtabs()).Start(t.Context(), p) })
		time.Sleep(22 * time.Second)
		s, err := w.store.Get(t.Context(), stateOf)
		require.NoError(t, err)
		text := ""
		for _, e := range s.Dtab {
			if p := e.Prefix.String(); p != "/weft/rollout/token" && p != "/weft/rollout/seq" {
				text += e.String() + "\n"
			}
		}
		assert.Equal(t, `/weft/rollout/version=>/1
/weft/rollout/namespace=>/default
/weft/rollout/before/svc/world=>/srv/world-v1
/weft/rollout/after/svc/world=>/srv/world-v2
/weft/rollout/step/1=>/1/percent/for/20s/requests/50
/weft/rollout/step/2=>/10/percent/for/20s/requests/50
/weft/rollout/step/3=>/100/percent/for/20s/requests/50
/weft/rollout/limit/success=>/0
/weft/rollout/limit/drop=>/0.01
/weft/rollout/limit/latency-factor=>/-1
/weft/rollout/limit/latency=>/0s
/weft/rollout/limit/quantile=>/0.95
/weft/rollout/limit/requests=>/20
/weft/rollout/hold=>/10m0s/then/rollback
/weft/rollout/interrupt=>/rollback
/weft/rollout/note/1=>/--proxy%3Dhttp:%2F%2F10.0.0.7:9990
/weft/rollout/phase=>/watching
/weft/rollout/at=>/step/2
/weft/rollout/baseline=>/requests/200/successes/200/timed/0/p50/0s/p95/0s/p99/0s
/weft/rollout/started=>/2000-01-01T00:00:00Z
/weft/rollout/since=>/2000-01-01T00:00:20Z
/weft/rollout/until=>/2000-01-01T00:00:40Z
/weft/rollout/runner=>/test
/weft/rollout/alive=>/2000-01-01T00:00:20Z/for/30s
`, text)
		<-run
	})
}

// drawState draws a state as a Runner would write it.
func drawState(t *rapid.T) rollout.State {
	words := rapid.StringMatching(`([!-~é]{1,8}( [!-~é]{1,8}){0,3})?`)
	when := rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(1, 1<<33).Draw(t, "s"), rapid.Int64Range(0, 1e9-1).Draw(t, "ns")).UTC()
	})
	long := rapid.Custom(func(t *rapid.T) time.Duration { return time.Duration(rapid.Int64Range(0, 1<<50).Draw(t, "d")) })
	part := rapid.Float64Range(-1, 1e6)
	path := rapid.Custom(func(t *rapid.T) dtab.Path {
		p, err := dtab.PathOf(rapid.SliceOfN(rapid.StringN(1, 10, -1), 1, 4).Draw(t, "path")...)
		require.NoError(t, err)
		return p
	})
	s := rollout.State{
		Plan: rollout.Plan{
			Namespace: rapid.StringMatching(`[a-zA-Z0-9._/-]{1,10}`).Draw(t, "namespace"),
			Rule:      rapid.SampledFrom([]dtab.Prefix{dtab.MustPrefix("/svc/*/x"), dtab.PrefixOf(path.Draw(t, "rule"))}).Draw(t, "which"),
			Old:       path.Draw(t, "old"), New: path.Draw(t, "new"),
			Limits: rollout.Limits{
				MinSuccess: part.Draw(t, "s"), MaxSuccessDrop: part.Draw(t, "d"), MaxLatencyFactor: part.Draw(t, "f"),
				MaxLatency: long.Draw(t, "l"), Quantile: part.Draw(t, "q"), MinRequests: rapid.IntRange(0, 1e6).Draw(t, "n"),
			},
			HoldFor:     long.Draw(t, "hold"),
			NoData:      rollout.NoData(rapid.IntRange(0, 1).Draw(t, "nodata")),
			OnInterrupt: rollout.Interrupt(rapid.IntRange(0, 1).Draw(t, "interrupt")),
		},
		Phase:    rapid.SampledFrom([]rollout.Phase{rollout.Starting, rollout.Watching, rollout.Paused, rollout.Done}).Draw(t, "phase"),
		Reason:   words.Draw(t, "reason"),
		Resumes:  rapid.SampledFrom([]rollout.Phase{"", rollout.Watching}).Draw(t, "resumes"),
		Outcome:  rapid.SampledFrom([]rollout.Outcome{"", rollout.Promoted}).Draw(t, "outcome"),
		Baseline: rollout.Sample{Requests: part.Draw(t, "r"), Successes: part.Draw(t, "ok"), Timed: part.Draw(t, "timed"), P95: long.Draw(t, "p95")},
		Started:  when.Draw(t, "started"), Since: when.Draw(t, "since"),
		Until:  rapid.SampledFrom([]time.Time{{}, when.Draw(t, "until")}).Draw(t, "is until"),
		Runner: words.Draw(t, "runner"), Alive: when.Draw(t, "alive"), Lease: long.Draw(t, "lease"),
		Wanted: rapid.SampledFrom([]rollout.Want{"", rollout.WantPause, rollout.WantRevert}).Draw(t, "wanted"),
	}
	for range rapid.IntRange(1, 4).Draw(t, "steps") {
		s.Plan.Steps = append(s.Plan.Steps, rollout.Step{
			Weight: rollout.Weight(rapid.IntRange(0, 100_00).Draw(t, "weight")), WatchFor: long.Draw(t, "for"), MinRequests: rapid.IntRange(0, 1e6).Draw(t, "min"),
		})
	}
	s.Step = rapid.IntRange(-1, len(s.Plan.Steps)-1).Draw(t, "step")
	for range rapid.IntRange(0, 2).Draw(t, "notes") {
		s.Plan.Note = append(s.Plan.Note, rapid.StringMatching(`[!-~]{1,30}`).Draw(t, "note"))
	}
	return rollout.WithToken(s, rapid.StringMatching(`[a-z]{3}`).Draw(t, "token"), rapid.IntRange(0, 100).Draw(t, "seq"))
}

// TestWhatIsWrittenIsRead goes by the text, as stores do.
func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawState(t)
		d, err := dtab.Parse(s.Dtab().String())
		require.NoError(t, err)
		again, err := rollout.ParseState(d)
		require.NoError(t, err)
		require.Equal(t, s, again)
	})
}

func TestStatesThatMakeNoSense(t *testing.T) {
	good := rollout.WithToken(rollout.State{
		Plan:  rollout.Plan{Namespace: "default", Rule: dtab.MustPrefix(rule), Old: dtab.MustPath(oldRule), New: dtab.MustPath(newRule), Steps: plan().Steps},
		Phase: rollout.Watching, Alive: time.Unix(0, 0), Lease: time.Second,
	}, "t", 1).Dtab()
	_, err := rollout.ParseState(good)
	require.NoError(t, err)
	for _, v := range []struct{ prefix, dst, want string }{
		{"/weft/rollout/version", "/2", "it is of version 2, and this program knows version 1"},
		{"/weft/rollout/phase", "/sleeping", `/weft/rollout/phase says "sleeping"; want the name of a phase`},
		{"/weft/rollout/at", "/step/5", "it is in step 5 of 3"},
		{"/weft/rollout/at", "/5", `/weft/rollout/at says "5"; want 2 words`},
		{"/weft/rollout/step/1", "/lots/percent/for/20s/requests/50", "want a percentage"},
		{"/weft/rollout/limit/drop", "/NaN", `/weft/rollout/limit/drop says "NaN"; want a number`},
		{"/weft/rollout/alive", "/yesterday/for/1s", `want a time`},
		{"/weft/rollout/hold", "/10m/then/pray", `want rollback or hold`},
		{"/weft/rollout/token", "/", `/weft/rollout/token says ""`},
		{"/weft/rollout/before/svc/other", "/x", "the state is of two rules"},
		{"/weft/rollout/reason", "/%zz", "makes no sense"},
	} {
		t.Run(v.prefix+"=>"+v.dst, func(t *testing.T) {
			d := append(dtab.Dtab{}, good...)
			d = append(d, dtab.Dentry{Prefix: dtab.MustPrefix(v.prefix), Dst: dtab.MustTree(v.dst)})
			_, err := rollout.ParseState(d)
			require.ErrorContains(t, err, v.want)
		})
	}
	_, err = rollout.ParseState(dtab.MustParse("/svc => /srv"))
	require.ErrorContains(t, err, "not those of a rollout")
}

func FuzzParseState(f *testing.F) {
	f.Add("/weft/rollout/version=>/1;/weft/rollout/before/svc/world=>/a;/weft/rollout/step/1=>/1/percent/for/20s/requests/50")
	f.Add("/weft/rollout/after=>/1")
	f.Add("/weft/rollout/note/1=>/%41")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := dtab.Parse(text)
		if err != nil {
			return
		}
		s, err := rollout.ParseState(d)
		if err != nil {
			return
		}
		again, err := rollout.ParseState(s.Dtab())
		require.NoError(t, err)
		require.Equal(t, s.Dtab().String(), again.Dtab().String())
	})
}

func TestStateNamespace(t *testing.T) {
	for _, v := range []struct{ rule, want string }{
		{"/svc/world", "default-rollout-svc-world"},
		{"/svc", "default-rollout-svc"},
		{"/svc/world-v1", "default-rollout-svc-world-v1-c1f041b8"},
		{"/svc/world/v1", "default-rollout-svc-world-v1"},
		{"/svc/*/World", "default-rollout-svc---world-"},
		{`/\xff`, "default-rollout-"},
	} {
		got := rollout.StateNamespace(rollout.ID{Namespace: "default", Rule: dtab.MustPrefix(v.rule)})
		assert.Contains(t, got, v.want, v.rule)
		assert.Regexp(t, `^[a-z0-9-]+$`, got)
	}
}

func TestNoTwoRulesShareAState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := func(label string) dtab.Prefix {
			p, err := dtab.PathOf(rapid.SliceOfN(rapid.StringMatching(`[aA./*-]{1,3}|a{50,52}`), 1, 4).Draw(t, label)...)
			require.NoError(t, err)
			return dtab.PrefixOf(p)
		}
		a, b := path("a"), path("b")
		if a == b {
			return
		}
		one := rollout.StateNamespace(rollout.ID{Namespace: "n", Rule: a})
		two := rollout.StateNamespace(rollout.ID{Namespace: "n", Rule: b})
		require.NotEqual(t, one, two)
		require.Regexp(t, `^[a-z0-9-]{3,70}$`, one)
	})
}
