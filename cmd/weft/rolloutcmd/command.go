// Package rolloutcmd is weft rollout: traffic shifts that watch themselves.
package rolloutcmd

import (
	"fmt"

	"github.com/spf13/cobra"
)

// Command returns the command rollout. Its errors are *ExitError, or have the status
// 1.
func Command() *cobra.Command {
	a := &app{}
	cmd := &cobra.Command{
		Use:   "rollout",
		Short: "Shift traffic step by step, and back by itself if it goes wrong",
		Long: "Rollout shifts the traffic of one rule of a dtab from an old branch to a new one. Between the steps it compares the\n" +
			"success rate and the latency of the new branch with those of the old one, as the proxies or a Prometheus server have\n" +
			"them. If the new branch does not keep to the limits, or the rollout is interrupted, the old rule is put back.\n\n" +
			"The state is kept in the namerd, in the namespace NAMESPACE-rollout-RULE, from before the first change until the end.\n" +
			"So there is one rollout of a rule at a time, and one whose process was killed can be resumed or reverted anywhere.\n\n" +
			"Where namerd is: --base-url, or NAMERCTL_BASE_URL. The other flags of the connection can be given in this way, too.\n\n" +
			"Exit status of start and resume: 0 if the new branch was promoted, 10 if it was rolled back, 11 if the rollout was\n" +
			"paused, 1 for everything else. The other commands: 0 if what they were to do is done; promote and revert 10 and 0\n" +
			"if the rollout ended in the other way.",
		Example: "  weft rollout plan  --rule /svc/world --new /srv/world-v2\n" +
			"  weft rollout start --rule /svc/world --new /srv/world-v2 --proxy http://10.0.0.7:9990 --proxy http://10.0.0.8:9990\n" +
			"  weft rollout start --rule /svc/world --new /srv/world-v2 --prometheus http://prometheus:9090 \\\n" +
			"      --steps '5%:2m,25%:5m,100%:10m' --min-success 99% --yes --json\n" +
			"  weft rollout list\n" +
			"  weft rollout revert --rule /svc/world",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return usagef("unknown command %q for %q; see %[2]s --help", args[0], cmd.CommandPath())
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w; see %s --help", err, cmd.CommandPath())
	})
	a.connection.register(cmd.PersistentFlags())
	cmd.PersistentFlags().BoolVar(&a.json, "json", false, "print JSON, an object a line, instead of text")
	cmd.AddCommand(a.plan(), a.start(), a.resume(), a.status(), a.list(), a.pause(), a.promote(), a.revert())
	return cmd
}

// app is what the commands have in common.
type app struct {
	connection
	json bool
}

// The exit statuses.
const (
	exitOther      = 1
	exitRolledBack = 10
	exitPaused     = 11
)

// ExitError is why a command failed and the status that the process should exit with.
type ExitError struct {
	Code int
	Err  error
}

// Error returns the text of Err.
func (e *ExitError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *ExitError) Unwrap() error { return e.Err }

// ExitCode returns the status.
func (e *ExitError) ExitCode() int { return e.Code }

func usagef(format string, args ...any) error {
	return &ExitError{Code: exitOther, Err: fmt.Errorf(format, args...)}
}
