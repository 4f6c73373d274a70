// Package rollout shifts the traffic of one rule of a dtab from an old branch to a
// new one, step by step, and watches itself doing so: between the steps it compares
// the success rate and the latency of the new branch with those of the old one, and
// puts the old rule back by itself if they are worse than the plan allows.
//
//	run := rollout.New(rollout.Options{Dtabs: client, Meter: meter})
//	outcome, err := run.Start(ctx, rollout.Plan{
//		Namespace: "default",
//		Rule:      dtab.MustPrefix("/svc/world"),
//		New:       dtab.MustPath("/srv/world-v2"),
//	})
//
// What a rollout is about to do is written into the control plane before it is done,
// as a dtab of its own namespace (StateNamespace), which is also the lock of the
// rule. So a rollout whose process was killed at any point can be taken up again
// (Runner.Resume) or undone (Runner.Revert) by another one, and none is needed beside
// the control plane: one of the original namerd will do.
//
// Only the one rule is written, by compare-and-swap on the version of its namespace.
// Changes of other rules by others in the meantime are kept; a change of the rule
// itself by others ends the rollout and is kept, too.
package rollout
