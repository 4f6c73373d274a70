// Command weft runs a service mesh proxy from a Linkerd 1.x configuration and a
// control plane from a namerd configuration, checks and explains such configurations,
// and shows a whole mesh in one process.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/cmd/weft/dtabcmd"
	"github.com/weft-mesh/weft/cmd/weft/rolloutcmd"
	"github.com/weft-mesh/weft/cmd/weft/tapcmd"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for an orderly end, the second one ends the process.
	context.AfterFunc(ctx, stop)
	status := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// errReported is an error whose text has been printed already.
var errReported = errors.New("reported")

// run executes a command line and returns the exit status: 0, or 1 after an error,
// unless the command has statuses of its own.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	root := rootCommand()
	root.SetArgs(oldFlags(args))
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var r interface{ Reported() bool }
	if reported := errors.As(err, &r) && r.Reported(); !reported && !errors.Is(err, errReported) {
		fmt.Fprintf(errs, "weft: %v\n", err)
	}
	var code interface{ ExitCode() int }
	if errors.As(err, &code) {
		return code.ExitCode()
	}
	return 1
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "weft",
		Short:         "The service mesh: proxy and control plane for Linkerd 1.x configurations",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(tapcmd.Commands()...)
	root.AddCommand(runCommand(), checkCommand(), explainCommand(), testCommand(), namerdCommand(), dtabcmd.Command(), rolloutcmd.Command(), demoCommand(), versionCommand())
	return root
}
