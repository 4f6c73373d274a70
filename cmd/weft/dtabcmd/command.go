// Package dtabcmd is weft dtab: everything that namerctl does, with its output, and
// what it leaves to be wished for.
package dtabcmd

import (
	"fmt"

	"github.com/spf13/cobra"
)

// Command returns the command dtab. Its errors are *ExitError.
func Command() *cobra.Command {
	a := &app{}
	cmd := &cobra.Command{
		Use:   "dtab",
		Short: "Control the routing rules of a namerd",
		Long: "Dtab reads and changes the dtabs of a namerd, weft's or Linkerd's, over its HTTP API.\n\n" +
			"Where namerd is: --base-url, or NAMERCTL_BASE_URL, or base-url in a file .namerctl.json, .toml, .yaml or .yml in\n" +
			"the working directory or the nearest of its parents that has one. Several, separated by commas, are tried in turn.\n" +
			"The other flags of the connection can be given in the same ways: NAMERCTL_TOKEN, NAMERCTL_TLS_CA and so on.\n\n" +
			"A FILE has a dtab as text, or as JSON: a list of {\"prefix\": …, \"dst\": …}, or an object with such a list as dtab\n" +
			"and perhaps a version; or as YAML of that shape if its name says so. \"-\" is standard input.\n\n" +
			"Exit status: 0; 1 for wrong usage and bad input; 2 if there is no such namespace; 3 if it exists already, or has\n" +
			"been changed by somebody else; 4 if namerd cannot be reached or fails; 5 if it does not permit it.",
		Example: "  weft dtab list --base-url http://namerd:4180\n" +
			"  weft dtab get default\n" +
			"  weft dtab get default --json | jq … | weft dtab update default -\n" +
			"  weft dtab edit default -m 'users to v2'\n" +
			"  weft dtab apply routes/ --dry-run",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return &ExitError{Code: exitUsage, Err: fmt.Errorf("unknown command %q for %q; see %[2]s --help", args[0], cmd.CommandPath())}
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &ExitError{Code: exitUsage, Err: fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	a.flags(cmd.PersistentFlags())
	cmd.AddCommand(
		a.list(), a.get(), a.create(), a.update(), a.remove(),
		a.edit(), a.diff(), a.apply(), a.history(), a.rollback(), a.watch(),
		a.delegate(), a.bind(), a.addr(), a.resolve(), a.boundNames(),
		a.format(), a.validate(),
	)
	return cmd
}

// app is what the commands have in common: the persistent flags.
type app struct {
	connection
	json bool
}

// action is the body of a command that asks a namerd.
type action func(s *session, args []string) error

// online returns the RunE of a command that asks a namerd. wrong says what the
// arguments should be.
func (a *app) online(fewest, most int, wrong string, do action) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < fewest || len(args) > most {
			return usagef("%s", wrong)
		}
		s, err := a.connect(cmd)
		if err != nil {
			return exit(err)
		}
		defer s.client.Close() //nolint:errcheck // nothing is left to be said
		return exit(do(s, args))
	}
}
