package rollout_test

import (
	"context"
	"fmt"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/memory"
	"github.com/weft-mesh/weft/rollout"
)

// A process that embeds a namerd shifts traffic in its store. Others give a client of
// a namerd as Dtabs, and a Scrape or a Prometheus as Meter.
func Example() {
	ctx := context.Background()
	store := memory.New(memory.Options{})
	defer store.Close()
	_, _ = store.Create(ctx, "default", dtab.MustParse("/svc/world => /srv/world-v1"), namerd.Note{})

	run := rollout.New(rollout.Options{
		Dtabs:    rollout.StoreDtabs(store, namerd.Note{Author: "me", Reason: "world-v2"}),
		Meter:    allIsWell{},
		Interval: 10 * time.Millisecond,
		Report: func(e rollout.Event) {
			if e.Kind == rollout.EventPhase {
				fmt.Println(e.State)
			}
		},
	})
	outcome, err := run.Start(ctx, rollout.Plan{
		Namespace: "default",
		Rule:      dtab.MustPrefix("/svc/world"),
		New:       dtab.MustPath("/srv/world-v2"),
		Steps: []rollout.Step{
			{Weight: rollout.Percent(10), WatchFor: 20 * time.Millisecond},
			{Weight: rollout.All, WatchFor: 20 * time.Millisecond},
		},
	})
	after, _ := store.Get(ctx, "default")
	fmt.Println(outcome, err, after.Dtab)
	// Output:
	// starting
	// shifting step 1 of 2 (10%)
	// watching step 1 of 2 (10%)
	// shifting step 2 of 2 (100%)
	// watching step 2 of 2 (100%)
	// done, promoted
	// promoted <nil> /svc/world=>/srv/world-v2
}

type allIsWell struct{}

func (allIsWell) Measure(context.Context, time.Duration) (older, newer rollout.Sample, err error) {
	s := rollout.Sample{Requests: 1000, Successes: 999, Timed: 1000, P95: 20 * time.Millisecond}
	return s, s, nil
}
