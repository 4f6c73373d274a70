package rollout_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/rollout"
)

// TestKilledAtEveryWrite kills the process at its k-th write, before it is made and
// after, for all k, and goes on in every way that there is.
func TestKilledAtEveryWrite(t *testing.T) {
	ways := []struct {
		name  string
		meter func(time.Duration) (older, newer rollout.Sample)
		goOn  func(*world, rollout.Dtabs) (rollout.Outcome, error)
		want  rollout.Outcome
	}{
		{"promoted, resume", nil, func(w *world, d rollout.Dtabs) (rollout.Outcome, error) {
			return w.runner(d).Resume(w.t.Context(), w.id)
		}, rollout.Promoted},
		{"promoted, revert", nil, func(w *world, d rollout.Dtabs) (rollout.Outcome, error) {
			return w.runner(d).Revert(w.t.Context(), w.id)
		}, rollout.RolledBack},
		{"promoted, promote", nil, func(w *world, d rollout.Dtabs) (rollout.Outcome, error) {
			return w.runner(d).Promote(w.t.Context(), w.id)
		}, rollout.Promoted},
		{"rolled back, resume", broken, func(w *world, d rollout.Dtabs) (rollout.Outcome, error) {
			return w.runner(d).Resume(w.t.Context(), w.id)
		}, rollout.RolledBack},
	}
	for _, way := range ways {
		for _, kind := range []fault{killBefore, killAfter} {
			t.Run(way.name+map[fault]string{killBefore: ", before", killAfter: ", after"}[kind], func(t *testing.T) {
				finished := false
				for k := 1; !finished; k++ {
					require.Less(t, k, 60, "it never comes to its end")
					synctest.Test(t, func(t *testing.T) { finished = killed(t, k, kind, way.meter, way.goOn, way.want) })
				}
			})
		}
	}
}

// killed runs a rollout that dies at write k and whoever goes on with it at the same
// write of its own, and so on. It reports whether the first run came to its end.
func killed(t *testing.T, k int, kind fault, measure func(time.Duration) (older, newer rollout.Sample),
	goOn func(*world, rollout.Dtabs) (rollout.Outcome, error), want rollout.Outcome,
) bool {
	t.Helper()
	w := newWorld(t)
	w.meter.set(measure, nil)
	dying := func() *dtabs {
		d := w.dtabs()
		d.fail = func(n int) fault {
			if n == k {
				return kind
			}
			return none
		}
		return d
	}
	r := <-async(func() (rollout.Outcome, error) { return w.runner(dying()).Start(t.Context(), plan()) })
	if !r.killed {
		require.NoError(t, r.err)
		return true
	}
	for deaths := 0; ; deaths++ {
		w.assertRuleOfPlan()
		s, there := w.state()
		if !there {
			break
		}
		wanted := want
		if s.Phase == rollout.Done {
			wanted = s.Outcome // it is too late for anything else
		}
		time.Sleep(31 * time.Second)
		d := w.dtabs()
		if deaths < 3 {
			d = dying()
		}
		r = <-async(func() (rollout.Outcome, error) { return goOn(w, d) })
		if r.killed {
			continue
		}
		require.NoError(t, r.err, "k %d", k)
		require.Equal(t, wanted, r.outcome, "k %d", k)
		final := map[rollout.Outcome]string{rollout.Promoted: newRule, rollout.RolledBack: oldRule}[wanted]
		require.Equal(t, final, w.says(), "k %d", k)
		break
	}
	w.assertRuleOfPlan()
	w.assertEnded()
	if _, there := w.state(); !there && r.killed {
		// Nothing had been begun, or everything was done.
		assert.Contains(t, []string{oldRule, newRule}, w.says())
	}
	return false
}

// assertRuleOfPlan checks that the rule has only ever said what the plan has.
func (w *world) assertRuleOfPlan() {
	w.t.Helper()
	assert.Contains(w.t, steps(), w.says())
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.rules {
		if !slices.Contains(steps(), r) {
			w.t.Errorf("the rule has said %s", r)
		}
	}
}

// TestWritesThatMayHaveBeenMade makes every k-th write fail, made or not.
func TestWritesThatMayHaveBeenMade(t *testing.T) {
	for _, kind := range []fault{lost, ambiguous} {
		for k := 2; k < 5; k++ {
			for _, measure := range []func(time.Duration) (older, newer rollout.Sample){nil, broken} {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					w.meter.set(measure, nil)
					d := w.dtabs()
					d.fail = func(n int) fault {
						if n%k == 0 {
							return kind
						}
						return none
					}
					outcome, err := w.runner(d).Start(t.Context(), plan())
					require.NoError(t, err, "every write %d", k)
					if measure == nil {
						assert.Equal(t, rollout.Promoted, outcome)
						assert.Equal(t, steps()[1:], slices.Compact(w.rules))
					} else {
						assert.Equal(t, rollout.RolledBack, outcome)
						assert.Equal(t, oldRule, w.says())
					}
					w.assertEnded()
				})
			}
		}
	}
}
