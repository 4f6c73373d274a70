package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/rollout"
)

// TestTheRuleIsAlwaysOneOfThePlan does everything to a rollout that can be done to
// one, in any order, and looks at the rule all the time. In the end it is either
// promoted or reverted, and the rules of others are as they left them.
func TestTheRuleIsAlwaysOneOfThePlan(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		actions := rapid.SliceOfN(rapid.SampledFrom([]string{
			"wait", "wait", "wait long", "kill", "resume", "resume", "pause", "skip", "promote", "revert", "interrupt",
			"break", "mend", "blind", "others", "down", "up", "flaky",
		}), 1, 25).Draw(rt, "actions")
		pauses := rapid.Bool().Draw(rt, "pauses")
		every := rapid.IntRange(2, 5).Draw(rt, "flaky every")
		synctest.Test(t, func(t *testing.T) { history(t, actions, pauses, every) })
	})
}

func history(t *testing.T, actions []string, pauses bool, every int) {
	t.Helper()
	w := newWorld(t)
	p := plan()
	if pauses {
		p.OnInterrupt = rollout.PauseOnInterrupt
	}
	d := w.dtabs()
	ctx, cancel := context.WithCancel(t.Context())
	first, while := w.runner(d), ctx
	run := async(func() (rollout.Outcome, error) { return first.Start(while, p) })
	var runs []<-chan result
	ends := []func(){d.kill, cancel}
	others := 0
	bounded := func(do func(context.Context) error) { // others do not wait for ever
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_ = do(ctx)
	}
	for i, a := range actions {
		other := w.runner(w.dtabs())
		switch a {
		case "wait":
			time.Sleep(7 * time.Second)
		case "wait long":
			time.Sleep(40 * time.Second)
		case "kill":
			d.kill()
		case "resume":
			d = w.dtabs()
			ctx, cancel = context.WithCancel(t.Context())
			runs = append(runs, run)
			ends = append(ends, d.kill, cancel)
			ctx, d := ctx, d
			run = async(func() (rollout.Outcome, error) { return w.runner(d).Resume(ctx, w.id) })
		case "pause":
			bounded(func(ctx context.Context) error { return other.Pause(ctx, w.id) })
		case "skip":
			bounded(func(ctx context.Context) error { return other.Skip(ctx, w.id) })
		case "promote":
			bounded(func(ctx context.Context) error { _, err := other.Promote(ctx, w.id); return err })
		case "revert":
			bounded(func(ctx context.Context) error { _, err := other.Revert(ctx, w.id); return err })
		case "interrupt":
			cancel()
		case "break":
			w.meter.set(broken, nil)
		case "mend":
			w.meter.set(nil, nil)
		case "blind":
			w.meter.set(nil, errors.New("no quorum"))
		case "others":
			others++
			w.edit(func(d dtab.Dtab) dtab.Dtab { return append(d, dtab.MustParse(fmt.Sprintf("/other/%d=>/x", i))...) })
		case "down":
			d.setDown(true)
		case "up":
			d.setDown(false)
		case "flaky":
			d.mu.Lock()
			d.fail = func(n int) fault {
				if n%every == 0 {
					return []fault{lost, ambiguous}[n/every%2]
				}
				return none
			}
			d.mu.Unlock()
		}
		synctest.Wait()
		w.assertRuleOfPlan()
	}
	for _, end := range ends {
		end()
	}
	time.Sleep(2 * time.Minute)
	for _, r := range append(runs, run) {
		<-r
	}
	if s, there := w.state(); there {
		outcome, err := w.runner(w.dtabs()).Revert(t.Context(), w.id)
		require.NoError(t, err)
		if s.Phase != rollout.Done {
			require.Equal(t, rollout.RolledBack, outcome)
		}
	}
	w.assertEnded()
	require.Contains(t, []string{oldRule, newRule}, w.says())
	w.assertRuleOfPlan()
	s, err := w.store.Get(t.Context(), "default")
	require.NoError(t, err)
	require.Len(t, s.Dtab, 3+others)
}
