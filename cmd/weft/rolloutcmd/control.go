package rolloutcmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/namerd/client"
	"github.com/weft-mesh/weft/rollout"
)

// whichRule says what is done without --rule.
const whichRule = " (default: that of the only rollout in the namespace)"

// find returns the rollout that is meant: the only one, if no rule is named.
func (r *ruleFlags) find(ctx context.Context, from *rollout.Runner) (rollout.ID, error) {
	if r.rule != "" {
		return r.id()
	}
	all, err := from.List(ctx, r.namespace)
	switch {
	case err != nil:
		return rollout.ID{}, err
	case len(all) == 0:
		return rollout.ID{}, fmt.Errorf("%w in %s", rollout.ErrNone, r.namespace)
	case len(all) > 1:
		var rules []string
		for _, s := range all {
			rules = append(rules, s.Plan.Rule.String())
		}
		return rollout.ID{}, usagef("there are several rollouts in %s: give --rule %s", r.namespace, strings.Join(rules, " or "))
	}
	return all[0].Plan.ID(), nil
}

// command returns one that does something with a rollout.
func (a *app) command(use, short, long string, do func(*cobra.Command, *rollout.Runner, rollout.ID) error) *cobra.Command {
	var which ruleFlags
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := &printer{w: cmd.OutOrStdout(), json: a.json}
			return a.with(cmd, rollout.Options{Report: out.event}, func(r *rollout.Runner, _ *client.Client) error {
				id, err := which.find(cmd.Context(), r)
				if err != nil {
					return err
				}
				return do(cmd, r, id)
			})
		},
	}
	which.register(cmd.Flags(), whichRule)
	return cmd
}

// pause is weft rollout pause.
func (a *app) pause() *cobra.Command {
	return a.command("pause", "Leave the weights as they are, until resume, promote or revert",
		"Pause ends the process that runs the rollout, with the status 11, and leaves the weights as they are.",
		func(cmd *cobra.Command, r *rollout.Runner, id rollout.ID) error { return r.Pause(cmd.Context(), id) })
}

// promote is weft rollout promote.
func (a *app) promote() *cobra.Command {
	var step bool
	cmd := a.command("promote", "Go to 100 % now",
		"Promote gives the new branch everything, without watching it, and ends the rollout. With --step it only ends the\n"+
			"watching of the step in which the rollout is, so that the next one begins; a process must run the rollout for that.",
		func(cmd *cobra.Command, r *rollout.Runner, id rollout.ID) error {
			if step {
				return r.Skip(cmd.Context(), id)
			}
			outcome, err := r.Promote(cmd.Context(), id)
			return ended(outcome, rollout.Promoted, err)
		})
	cmd.Flags().BoolVar(&step, "step", false, "only go to the next step")
	return cmd
}

// revert is weft rollout revert.
func (a *app) revert() *cobra.Command {
	var keep bool
	cmd := a.command("revert", "Put the old rule back",
		"Revert puts the old rule back, whatever the rollout is doing, and ends it. With --keep-rule it only forgets a rollout\n"+
			"that nobody runs, and leaves the rule as it is.",
		func(cmd *cobra.Command, r *rollout.Runner, id rollout.ID) error {
			if keep {
				return r.Abandon(cmd.Context(), id)
			}
			outcome, err := r.Revert(cmd.Context(), id)
			return ended(outcome, rollout.RolledBack, err)
		})
	cmd.Flags().BoolVar(&keep, "keep-rule", false, "leave the rule as it is, and forget the rollout")
	return cmd
}

// ended returns the error of a rollout that did not end as it should have.
func ended(is, should rollout.Outcome, err error) error {
	if err != nil || is == should {
		return err
	}
	code := exitOther
	switch is {
	case rollout.RolledBack:
		code = exitRolledBack
	case rollout.Suspended:
		code = exitPaused
	case rollout.Promoted, rollout.Unfinished:
	}
	return &ExitError{Code: code, Err: fmt.Errorf("the rollout ended meanwhile: %s", is)}
}

// status is weft rollout status.
func (a *app) status() *cobra.Command {
	return a.command("status", "Show how far a rollout has got", "",
		func(cmd *cobra.Command, r *rollout.Runner, id rollout.ID) error {
			s, err := r.Status(cmd.Context(), id)
			if err != nil {
				return err
			}
			return a.printState(cmd.OutOrStdout(), s)
		})
}

// list is weft rollout list.
func (a *app) list() *cobra.Command {
	var namespace string
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the rollouts", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd, rollout.Options{}, func(r *rollout.Runner, _ *client.Client) error {
				all, failed := r.List(cmd.Context(), namespace)
				if err := a.printList(cmd.OutOrStdout(), all); err != nil {
					return err
				}
				return failed
			})
		},
	}
	cmd.Flags().StringVarP(&namespace, "namespace", "n", "", "only rollouts of this namespace")
	return cmd
}
