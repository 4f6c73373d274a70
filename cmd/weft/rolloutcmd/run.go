package rolloutcmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/namerd/client"
	"github.com/weft-mesh/weft/rollout"
)

// plan is weft rollout plan.
func (a *app) plan() *cobra.Command {
	var p planFlags
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Print what start would do",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd, rollout.Options{}, func(r *rollout.Runner, _ *client.Client) error {
				plan, err := p.plan()
				if err != nil {
					return err
				}
				if plan, err = r.Prepare(cmd.Context(), plan); err != nil {
					return err
				}
				return a.printPlan(cmd.OutOrStdout(), plan)
			})
		},
	}
	p.register(cmd.Flags())
	return cmd
}

// start is weft rollout start.
func (a *app) start() *cobra.Command {
	var (
		p        planFlags
		m        meterFlags
		yes      bool
		interval time.Duration
	)
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Shift the traffic of a rule",
		Long: "Start prints the plan, and carries it out if it is confirmed. It ends when the new branch has everything, or the old\n" +
			"rule is back, or the rollout is paused. SIGINT and SIGTERM do as --on-interrupt says, and it ends when that is done.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			c, err := a.connect(cmd)
			if err != nil {
				return err
			}
			defer c.Close() //nolint:errcheck // nothing is left to be said
			plan, err := p.plan()
			if err != nil {
				return err
			}
			if plan, err = rollout.New(rollout.Options{Dtabs: c}).Prepare(ctx, plan); err != nil {
				return err
			}
			plan.Note = m.note(cmd.Flags())
			meter, err := m.meter(ctx, c, plan)
			if err != nil {
				return err
			}
			if err := a.printPlan(cmd.OutOrStdout(), plan); err != nil {
				return err
			}
			if !yes {
				if err := confirm(ctx, cmd.InOrStdin(), cmd.ErrOrStderr()); err != nil {
					return err
				}
			}
			return a.run(cmd, rollout.Options{Dtabs: c, Meter: meter, Interval: interval}, func(ctx context.Context, r *rollout.Runner) (rollout.Outcome, error) {
				return r.Start(ctx, plan)
			})
		},
	}
	p.register(cmd.Flags())
	m.register(cmd.Flags())
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask for confirmation")
	cmd.Flags().DurationVar(&interval, "interval", 5*time.Second, "how often it is measured")
	return cmd
}

// resume is weft rollout resume.
func (a *app) resume() *cobra.Command {
	var (
		which    ruleFlags
		m        meterFlags
		interval time.Duration
	)
	cmd := &cobra.Command{
		Use:   "resume",
		Short: "Go on with a rollout that is paused, or whose process is dead",
		Long: "Resume goes on where the rollout stopped, and ends as start does. How it is measured is what start was told, unless\n" +
			"something else is said.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			c, err := a.connect(cmd)
			if err != nil {
				return err
			}
			defer c.Close() //nolint:errcheck // nothing is left to be said
			look := rollout.New(rollout.Options{Dtabs: c})
			id, err := which.find(ctx, look)
			if err != nil {
				return err
			}
			s, err := look.Status(ctx, id)
			if err != nil {
				return err
			}
			o := rollout.Options{Dtabs: c, Interval: interval}
			if s.NeedsMeter() {
				if err := m.recall(cmd.Flags(), s.Plan.Note); err != nil {
					return err
				}
				if o.Meter, err = m.meter(ctx, c, s.Plan); err != nil {
					return err
				}
			}
			return a.run(cmd, o, func(ctx context.Context, r *rollout.Runner) (rollout.Outcome, error) { return r.Resume(ctx, id) })
		},
	}
	which.register(cmd.Flags(), whichRule)
	m.register(cmd.Flags())
	cmd.Flags().DurationVar(&interval, "interval", 5*time.Second, "how often it is measured")
	return cmd
}

// run prints what happens in a rollout and returns what the process ends with.
func (a *app) run(cmd *cobra.Command, o rollout.Options, do func(context.Context, *rollout.Runner) (rollout.Outcome, error)) error {
	if o.Interval < 0 {
		return usagef("--interval: %s is not a time such as 5s", o.Interval)
	}
	out := &printer{w: cmd.OutOrStdout(), json: a.json}
	o.Report = out.event
	outcome, err := do(cmd.Context(), rollout.New(o))
	if err != nil {
		return err
	}
	switch outcome {
	case rollout.Promoted:
		return nil
	case rollout.RolledBack:
		return &ExitError{Code: exitRolledBack, Err: fmt.Errorf("rolled back: %s", out.reason)}
	case rollout.Suspended:
		return &ExitError{Code: exitPaused, Err: fmt.Errorf("paused: %s; weft rollout resume goes on", out.reason)}
	case rollout.Unfinished:
	}
	return errors.New("the rollout did not end")
}

// with calls do with a Runner of the namerd that the flags name.
func (a *app) with(cmd *cobra.Command, o rollout.Options, do func(*rollout.Runner, *client.Client) error) error {
	c, err := a.connect(cmd)
	if err != nil {
		return err
	}
	defer c.Close() //nolint:errcheck // nothing is left to be said
	o.Dtabs = c
	return do(rollout.New(o), c)
}
