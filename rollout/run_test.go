package rollout_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/rollout"
)

func TestPromoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := w.dtabs()
		d.bare = true // a namerd 1.7.5 will do
		begun := time.Now()
		outcome, err := w.runner(d).Start(t.Context(), plan())
		require.NoError(t, err)
		assert.Equal(t, rollout.Promoted, outcome)
		assert.Equal(t, steps()[1:], w.rules)
		assert.GreaterOrEqual(t, time.Since(begun), time.Minute, "three steps of 20 s")
		assert.Less(t, time.Since(begun), 80*time.Second)
		assert.Len(t, w.kinds(rollout.EventEnd), 1)
		assert.Equal(t, rollout.Promoted, w.kinds(rollout.EventEnd)[0].State.Outcome)
		w.assertEnded()
	})
}

func TestBreachIsRolledBackInItsStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var since time.Time
		run := async(func() (rollout.Outcome, error) { return w.runner(w.dtabs()).Start(t.Context(), plan()) })
		time.Sleep(30 * time.Second)
		require.Equal(t, steps()[2], w.says(), "in the second step")
		since = time.Now()
		w.meter.set(broken, nil)
		r := <-run
		require.NoError(t, r.err)
		assert.Equal(t, rollout.RolledBack, r.outcome)
		assert.LessOrEqual(t, time.Since(since), 6*time.Second, "an interval of 5 s")
		assert.Equal(t, []string{steps()[1], steps()[2], oldRule}, w.rules)
		require.Len(t, w.kinds(rollout.EventBreach), 1)
		assert.Contains(t, w.kinds(rollout.EventBreach)[0].Reason, "success rate 50%")
		w.assertEnded()
	})
}

func TestWhatWentWellForLongDoesNotHideABreach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := plan()
		p.Steps = []rollout.Step{{Weight: rollout.All, WatchFor: time.Hour}}
		run := async(func() (rollout.Outcome, error) { return w.runner(w.dtabs()).Start(t.Context(), p) })
		time.Sleep(50 * time.Minute)
		since := time.Now()
		w.meter.set(func(window time.Duration) (older, newer rollout.Sample) {
			n := window.Seconds() * 10
			bad := min(time.Since(since), window).Seconds() * 10
			return rollout.Sample{Requests: n, Successes: n}, rollout.Sample{Requests: n, Successes: n - bad}
		}, nil)
		r := <-run
		assert.Equal(t, rollout.RolledBack, r.outcome)
		assert.Less(t, time.Since(since), 15*time.Second)
	})
}

func TestInterrupt(t *testing.T) {
	for _, v := range []struct {
		name  string
		on    rollout.Interrupt
		after time.Duration
		want  rollout.Outcome
		rule  string
	}{
		{"rolls back", rollout.RollBackOnInterrupt, 30 * time.Second, rollout.RolledBack, oldRule},
		{"pauses", rollout.PauseOnInterrupt, 30 * time.Second, rollout.Suspended, steps()[2]},
	} {
		t.Run(v.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				p := plan()
				p.OnInterrupt = v.on
				ctx, cancel := context.WithCancel(t.Context())
				run := async(func() (rollout.Outcome, error) { return w.runner(w.dtabs()).Start(ctx, p) })
				time.Sleep(v.after)
				cancel()
				r := <-run
				require.NoError(t, r.err)
				assert.Equal(t, v.want, r.outcome)
				assert.Equal(t, v.rule, w.says())
				if v.want == rollout.RolledBack {
					w.assertEnded()
					return
				}
				s, there := w.state()
				require.True(t, there)
				assert.Equal(t, rollout.Paused, s.Phase)
				assert.False(t, s.Held(time.Now()))
				outcome, err := w.runner(w.dtabs()).Resume(t.Context(), w.id)
				require.NoError(t, err)
				assert.Equal(t, rollout.Promoted, outcome)
				assert.Equal(t, newRule, w.says())
				w.assertEnded()
			})
		})
	}
}

func TestTooLittleToJudgeBy(t *testing.T) {
	few := func(window time.Duration) (older, newer rollout.Sample) {
		n := window.Seconds() * 10
		return rollout.Sample{Requests: n, Successes: n}, rollout.Sample{Requests: 3, Successes: 3}
	}
	for _, v := range []struct {
		name string
		fn   func(time.Duration) (older, newer rollout.Sample)
		err  error
		held string
	}{
		{"few requests", few, nil, "3 of 50 requests"},
		{"no quorum", nil, errors.New("1 of 3 proxies answers"), "cannot measure: 1 of 3 proxies answers"},
		{"bad, but not known to be", func(window time.Duration) (older, newer rollout.Sample) {
			n := window.Seconds() * 10
			return rollout.Sample{Requests: n, Successes: n}, rollout.Sample{Requests: 100, Successes: 98}
		}, nil, "success rate 98%, more than 1 points below the old branch with 100%"},
	} {
		t.Run(v.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				run := async(func() (rollout.Outcome, error) { return w.runner(w.dtabs()).Start(t.Context(), plan()) })
				synctest.Wait()
				begun := time.Now()
				w.meter.set(v.fn, v.err)
				r := <-run
				require.NoError(t, r.err)
				assert.Equal(t, rollout.RolledBack, r.outcome)
				assert.Equal(t, []string{steps()[1], oldRule}, w.rules, "never promoted on no data")
				assert.GreaterOrEqual(t, time.Since(begun), 10*time.Minute+20*time.Second)
				require.NotEmpty(t, w.kinds(rollout.EventHeld))
				assert.Equal(t, v.held, w.kinds(rollout.EventHeld)[0].Reason)
			})
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				p := plan()
				p.NoData = rollout.HoldWithoutData
				run := async(func() (rollout.Outcome, error) { return w.runner(w.dtabs()).Start(t.Context(), p) })
				synctest.Wait()
				w.meter.set(v.fn, v.err)
				time.Sleep(time.Hour)
				assert.Equal(t, steps()[1], w.says(), "held")
				w.meter.set(nil, nil)
				assert.Equal(t, rollout.Promoted, (<-run).outcome)
			})
		})
	}
}

func TestNothingIsShiftedThatCannotBeMeasured(t *testing.T) {
	w := newWorld(t)
	w.meter.set(nil, errors.New("no proxy answers"))
	_, err := w.runner(w.dtabs()).Start(t.Context(), plan())
	require.ErrorContains(t, err, "nothing was changed, as the branches cannot be measured: no proxy answers")
	assert.Empty(t, w.rules)
	w.assertEnded()

	_, err = rollout.New(rollout.Options{Dtabs: w.dtabs()}).Start(t.Context(), plan())
	require.ErrorContains(t, err, "no meter")
}

func TestOtherRulesAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := plan()
		run := async(func() (rollout.Outcome, error) { return w.runner(w.dtabs()).Start(t.Context(), p) })
		time.Sleep(10 * time.Second)
		w.edit(func(d dtab.Dtab) dtab.Dtab { return append(dtab.MustParse("/first => /a"), d...) })
		time.Sleep(20 * time.Second)
		w.edit(func(d dtab.Dtab) dtab.Dtab {
			return append(d[:1:1], append(d[2:], dtab.MustParse("/last => /b")...)...)
		})
		require.Equal(t, rollout.Promoted, (<-run).outcome)
		s, err := w.store.Get(t.Context(), "default")
		require.NoError(t, err)
		assert.Equal(t, "/first=>/a;/host=>/svc;/svc/world=>/srv/world-v2;/last=>/b", s.Dtab.String())
	})
}

func TestAChangeOfTheRuleByOthersIsKept(t *testing.T) {
	for _, v := range []struct {
		name, dst, says string
	}{
		{"something else", "/srv/world-v3", "it says /srv/world-v3, and not /srv/world-v2 & 99.00*/srv/world-v1"},
		{"the old branch", oldRule, "it says /srv/world-v1, and not"},
		{"a later step", steps()[2], "it says 10.00*/srv/world-v2"},
	} {
		t.Run(v.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				run := async(func() (rollout.Outcome, error) { return w.runner(w.dtabs()).Start(t.Context(), plan()) })
				time.Sleep(10 * time.Second)
				w.set(v.dst)
				time.Sleep(2 * time.Second) // a poll
				r := <-run
				assert.Equal(t, rollout.Unfinished, r.outcome)
				var changed *rollout.ChangedError
				require.ErrorAs(t, r.err, &changed)
				require.ErrorContains(t, r.err, v.says)
				assert.Equal(t, dtab.ShowTree(dtab.MustTree(v.dst)), w.says(), "not overwritten")
				s, there := w.state()
				require.True(t, there)
				assert.Equal(t, rollout.Stopped, s.Phase)

				_, err := w.runner(w.dtabs()).Resume(t.Context(), w.id)
				require.ErrorAs(t, err, &changed, "still")
				assert.Equal(t, dtab.ShowTree(dtab.MustTree(v.dst)), w.says())
				w.set(steps()[1])
				outcome, err := w.runner(w.dtabs()).Resume(t.Context(), w.id)
				require.NoError(t, err, "it says again what it should")
				assert.Equal(t, rollout.Promoted, outcome)
			})
		})
	}
	t.Run("removed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			run := async(func() (rollout.Outcome, error) { return w.runner(w.dtabs()).Start(t.Context(), plan()) })
			time.Sleep(10 * time.Second)
			w.edit(func(d dtab.Dtab) dtab.Dtab { return d[:2] })
			require.ErrorContains(t, (<-run).err, "it is missing, or there are several")
			assert.Empty(t, w.says())
			require.NoError(t, w.runner(w.dtabs()).Abandon(t.Context(), w.id))
			w.assertEnded()
		})
	})
	t.Run("while it is rolled back", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			d := w.dtabs()
			run := async(func() (rollout.Outcome, error) { return w.runner(d).Start(t.Context(), plan()) })
			time.Sleep(10 * time.Second)
			d.setDown(true)
			w.meter.set(broken, nil)
			time.Sleep(10 * time.Second)
			w.set("/srv/world-v3")
			d.setDown(false)
			var changed *rollout.ChangedError
			require.ErrorAs(t, (<-run).err, &changed)
			assert.Equal(t, "/srv/world-v3", w.says())
		})
	})
}

func TestOneRolloutOfARule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		run := async(func() (rollout.Outcome, error) { return w.runner(w.dtabs()).Start(t.Context(), plan()) })
		time.Sleep(9 * time.Second)
		_, err := w.runner(w.dtabs()).Start(t.Context(), plan())
		var held *rollout.HeldError
		require.ErrorAs(t, err, &held)
		require.EqualError(t, err, "there is a rollout of /svc/world in default already, begun 2000-01-01T00:00:00Z by test: "+
			"watching step 1 of 3 (1%); last sign of life 9s ago")
		_, err = w.runner(w.dtabs()).Resume(t.Context(), w.id)
		require.ErrorAs(t, err, &held)
		require.ErrorAs(t, w.runner(w.dtabs()).Abandon(t.Context(), w.id), &held)
		assert.Equal(t, rollout.Promoted, (<-run).outcome)
		_, err = w.runner(w.dtabs()).Resume(t.Context(), w.id)
		require.ErrorIs(t, err, rollout.ErrNone)
		require.ErrorIs(t, w.runner(w.dtabs()).Abandon(t.Context(), w.id), rollout.ErrNone)
	})
}

func TestOfManyThatStartAtOnceOneDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var runs []<-chan result
		for range 10 {
			d := w.dtabs()
			d.lag = time.Millisecond // all have looked before one of them writes
			runs = append(runs, async(func() (rollout.Outcome, error) { return w.runner(d).Start(t.Context(), plan()) }))
		}
		promoted := 0
		for _, run := range runs {
			r := <-run
			var held *rollout.HeldError
			if r.err == nil {
				promoted++
			} else {
				require.ErrorAs(t, r.err, &held)
			}
		}
		assert.Equal(t, 1, promoted)
		assert.Equal(t, steps()[1:], w.rules)
	})
}

func TestOutageOfTheControlPlane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := w.dtabs()
		run := async(func() (rollout.Outcome, error) { return w.runner(d).Start(t.Context(), plan()) })
		time.Sleep(10 * time.Second)
		d.setDown(true)
		time.Sleep(5 * time.Minute)
		assert.Len(t, w.kinds(rollout.EventUnreachable), 1, "it is said once")
		assert.Equal(t, steps()[1], w.says())
		d.setDown(false)
		assert.Equal(t, rollout.Promoted, (<-run).outcome)
		assert.NotEmpty(t, w.kinds(rollout.EventReachable))
		assert.Equal(t, steps()[1:], w.rules)
	})
	t.Run("a breach in it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			d := w.dtabs()
			run := async(func() (rollout.Outcome, error) { return w.runner(d).Start(t.Context(), plan()) })
			time.Sleep(10 * time.Second)
			d.setDown(true)
			w.meter.set(broken, nil)
			time.Sleep(5 * time.Minute)
			d.setDown(false)
			back := time.Now()
			assert.Equal(t, rollout.RolledBack, (<-run).outcome)
			assert.Less(t, time.Since(back), 5*time.Second)
			assert.Equal(t, oldRule, w.says())
		})
	})
	t.Run("an interrupt in it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			d := w.dtabs()
			ctx, cancel := context.WithCancel(t.Context())
			run := async(func() (rollout.Outcome, error) { return w.runner(d).Start(ctx, plan()) })
			time.Sleep(10 * time.Second)
			d.setDown(true)
			cancel()
			since := time.Now()
			r := <-run
			require.ErrorContains(t, r.err, "gave up")
			assert.InDelta(t, time.Minute.Seconds(), time.Since(since).Seconds(), 1)
			time.Sleep(time.Minute)
			outcome, err := w.runner(w.dtabs()).Revert(t.Context(), w.id)
			require.NoError(t, err)
			assert.Equal(t, rollout.RolledBack, outcome)
			assert.Equal(t, oldRule, w.says())
		})
	})
}

func TestAStateThatIsDeletedByOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		run := async(func() (rollout.Outcome, error) { return w.runner(w.dtabs()).Start(t.Context(), plan()) })
		time.Sleep(10 * time.Second)
		require.NoError(t, w.store.Delete(t.Context(), stateOf, "", namerd.Note{}))
		require.ErrorIs(t, (<-run).err, rollout.ErrGone)
		assert.Equal(t, steps()[1], w.says())
	})
}

func TestASleeperIsTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := w.dtabs()
		run := async(func() (rollout.Outcome, error) { return w.runner(d).Start(t.Context(), plan()) })
		time.Sleep(10 * time.Second)
		d.setDown(true) // for it only
		time.Sleep(time.Minute)
		outcome, err := w.runner(w.dtabs()).Revert(t.Context(), w.id)
		require.NoError(t, err)
		assert.Equal(t, rollout.RolledBack, outcome)
		d.setDown(false)
		require.ErrorIs(t, (<-run).err, rollout.ErrGone)
		assert.Equal(t, oldRule, w.says())
	})
	t.Run("with another at work", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			d := w.dtabs()
			run := async(func() (rollout.Outcome, error) { return w.runner(d).Start(t.Context(), plan()) })
			time.Sleep(10 * time.Second)
			d.setDown(true)
			time.Sleep(31 * time.Second)
			second := async(func() (rollout.Outcome, error) { return w.runner(w.dtabs()).Resume(t.Context(), w.id) })
			time.Sleep(5 * time.Second)
			d.setDown(false)
			require.ErrorIs(t, (<-run).err, rollout.ErrTaken)
			assert.Equal(t, rollout.Promoted, (<-second).outcome)
		})
	})
}
