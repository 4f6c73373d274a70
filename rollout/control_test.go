package rollout_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/rollout"
)

// running starts the rollout of the tests and lets it come into its second step.
func running(w *world, d rollout.Dtabs) <-chan result {
	run := async(func() (rollout.Outcome, error) { return w.runner(d).Start(w.t.Context(), plan()) })
	time.Sleep(30 * time.Second)
	require.Equal(w.t, steps()[2], w.says())
	return run
}

func TestWhatALivingRunnerIsAskedFor(t *testing.T) {
	t.Run("pause", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			run := running(w, w.dtabs())
			require.NoError(t, w.runner(w.dtabs()).Pause(t.Context(), w.id))
			r := <-run
			require.NoError(t, r.err)
			assert.Equal(t, rollout.Suspended, r.outcome)
			s, _ := w.state()
			assert.Equal(t, "paused step 2 of 3 (10%): asked for", s.String())
			assert.Equal(t, steps()[2], w.says())
			require.NoError(t, w.runner(w.dtabs()).Pause(t.Context(), w.id), "it is")

			begun := time.Now()
			outcome, err := w.runner(w.dtabs()).Resume(t.Context(), w.id)
			require.NoError(t, err)
			assert.Equal(t, rollout.Promoted, outcome)
			assert.GreaterOrEqual(t, time.Since(begun), 40*time.Second, "the step is watched again")
		})
	})
	t.Run("the next step", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			run := running(w, w.dtabs())
			begun := time.Now()
			require.NoError(t, w.runner(w.dtabs()).Skip(t.Context(), w.id))
			assert.LessOrEqual(t, time.Since(begun), 5*time.Second)
			time.Sleep(time.Second)
			assert.Equal(t, newRule, w.says())
			s, _ := w.state()
			assert.Equal(t, rollout.Watching, s.Phase)
			assert.Equal(t, rollout.Promoted, (<-run).outcome)
		})
	})
	t.Run("promote", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			run := running(w, w.dtabs())
			begun := time.Now()
			outcome, err := w.runner(w.dtabs()).Promote(t.Context(), w.id)
			require.NoError(t, err)
			assert.Equal(t, rollout.Promoted, outcome)
			assert.LessOrEqual(t, time.Since(begun), 5*time.Second)
			assert.Equal(t, newRule, w.says())
			assert.Equal(t, rollout.Promoted, (<-run).outcome)
			w.assertEnded()
		})
	})
	t.Run("revert", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			run := running(w, w.dtabs())
			outcome, err := w.runner(w.dtabs()).Revert(t.Context(), w.id)
			require.NoError(t, err)
			assert.Equal(t, rollout.RolledBack, outcome)
			assert.Equal(t, oldRule, w.says())
			assert.Equal(t, rollout.RolledBack, (<-run).outcome)
			w.assertEnded()
		})
	})
}

func TestWhatIsDoneWhenNobodyRunsIt(t *testing.T) {
	dead := func(w *world) {
		d := w.dtabs()
		run := running(w, d)
		d.kill()
		require.True(w.t, (<-run).killed)
		time.Sleep(31 * time.Second) // its lease
	}
	t.Run("pause", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			dead(w)
			require.NoError(t, w.runner(w.dtabs()).Pause(t.Context(), w.id))
			s, _ := w.state()
			assert.Equal(t, rollout.Paused, s.Phase)
			assert.Equal(t, steps()[2], w.says())
			outcome, err := w.runner(w.dtabs()).Promote(t.Context(), w.id)
			require.NoError(t, err)
			assert.Equal(t, rollout.Promoted, outcome)
			assert.Equal(t, newRule, w.says())
			w.assertEnded()
		})
	})
	t.Run("skip", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			dead(w)
			err := w.runner(w.dtabs()).Skip(t.Context(), w.id)
			require.ErrorContains(t, err, "nobody runs it now: resume it or revert it")
		})
	})
	t.Run("revert", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			dead(w)
			outcome, err := w.runner(w.dtabs()).Revert(t.Context(), w.id)
			require.NoError(t, err)
			assert.Equal(t, rollout.RolledBack, outcome)
			assert.Equal(t, oldRule, w.says())
			w.assertEnded()
		})
	})
	t.Run("resume, before it is known to be dead", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			d := w.dtabs()
			run := running(w, d)
			d.kill()
			<-run
			_, err := w.runner(w.dtabs()).Resume(t.Context(), w.id)
			var held *rollout.HeldError
			require.ErrorAs(t, err, &held)
			begun := time.Now()
			outcome, err := w.runner(w.dtabs()).Revert(t.Context(), w.id)
			require.NoError(t, err, "it waits for the lease")
			assert.Equal(t, rollout.RolledBack, outcome)
			assert.Less(t, time.Since(begun), 33*time.Second)
		})
	})
	t.Run("abandon", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			dead(w)
			require.NoError(t, w.runner(w.dtabs()).Abandon(t.Context(), w.id))
			w.assertEnded()
			assert.Equal(t, steps()[2], w.says())
		})
	})
}

func TestARolloutThatIsRolledBackCannotBePromoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := w.dtabs()
		run := running(w, d)
		w.meter.set(broken, nil)
		d.mu.Lock()
		d.fail = func(int) fault { // it dies with the decision written down
			if s, _ := w.state(); s.Phase == rollout.RollingBack {
				return killBefore
			}
			return none
		}
		d.mu.Unlock()
		require.True(t, (<-run).killed)
		time.Sleep(31 * time.Second)
		require.Equal(t, steps()[2], w.says())
		_, err := w.runner(w.dtabs()).Promote(t.Context(), w.id)
		require.ErrorContains(t, err, "it cannot be promoted any more")
		require.ErrorContains(t, w.runner(w.dtabs()).Pause(t.Context(), w.id), "it cannot be paused any more")
		_, err = rollout.New(rollout.Options{Dtabs: w.dtabs()}).Resume(t.Context(), w.id)
		require.NoError(t, err, "which takes no meter")
		assert.Equal(t, oldRule, w.says())
	})
}

func TestList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		run := running(w, w.dtabs())
		_, err := w.store.Create(t.Context(), "x-rollout-y", dtab.MustParse("/svc => /x"), namerd.Note{})
		require.NoError(t, err)
		all, err := w.runner(w.dtabs()).List(t.Context(), "")
		require.ErrorContains(t, err, "namespace x-rollout-y: rollout: the namespace has rules, but not those of a rollout")
		require.Len(t, all, 1)
		assert.Equal(t, w.id, all[0].Plan.ID())
		assert.Equal(t, "watching step 2 of 3 (10%)", all[0].String())
		all, _ = w.runner(w.dtabs()).List(t.Context(), "other")
		assert.Empty(t, all)
		<-run
	})
}
