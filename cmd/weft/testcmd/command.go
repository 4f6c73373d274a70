// Package testcmd is the command weft test.
package testcmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/routetest"
)

// The exit codes besides 0: tests have failed, or there was nothing that could be
// tested.
const (
	exitFailed = 1
	exitBroken = 2
)

// exitError is an error that the process ends with. What there is to say has been
// printed.
type exitError struct{ code int }

// Error implements error.
func (e exitError) Error() string { return fmt.Sprintf("exit status %d", e.code) }

// ExitCode returns the status of the process.
func (e exitError) ExitCode() int { return e.code }

// Reported says that the error has been printed.
func (exitError) Reported() bool { return true }

type flags struct {
	run     string
	verbose bool
	json    bool
}

// Command returns weft test. The registry holds the kinds of configurations, and
// routetest.Kinds.
func Command(registry func() (config.Registry, error)) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "test FILE...",
		Short: "Run unit tests of routing",
		Long: "Test runs tests of routing: given these rules, these contents of namers and this name or request, expect this\n" +
			"destination and these shares. Nothing is sent, and no server of discovery is asked.\n\n" +
			"  dtab: |\n" +
			"    /svc     => /#/io.l5d.fs ;\n" +
			"    /svc/web => 9 * /#/io.l5d.fs/web-v1 & 1 * /#/io.l5d.fs/web-v2 ;\n" +
			"  endpoints:\n" +
			"    /#/io.l5d.fs: {web-v1: [\"10.0.0.1:80\"], web-v2: [\"10.0.0.2:80\"], users: [\"10.0.0.3:80\"]}\n" +
			"  tests:\n" +
			"  - {test: web is split, name: /svc/web, split: {/#/io.l5d.fs/web-v1: 90%, /#/io.l5d.fs/web-v2: 10%}}\n" +
			"  - {test: the Host header, request: {headers: {Host: users}}, identified: /svc/users, to: /#/io.l5d.fs/users}\n" +
			"  - {test: staging, name: /svc/web, override: /svc/web => /#/io.l5d.fs/web-v2, to: /#/io.l5d.fs/web-v2}\n" +
			"  - {test: nobody knows payments, name: /svc/payments, nowhere: true}\n\n" +
			"With config: linkerd.yaml (and router: LABEL), names are identified and rewritten as that router does; its namers\n" +
			"are replaced by endpoints, and what its interpreter keeps elsewhere by dtab or dtabFile.\n\n" +
			"It exits with 0 if all tests pass, 1 if one fails, 2 if a file is wrong.",
		Args:          cobra.MinimumNArgs(1),
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, files []string) error { return run(cmd, files, f, registry) },
	}
	cmd.Flags().StringVar(&f.run, "run", "", "only the tests whose titles match this regular expression")
	cmd.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "print the tests that pass too")
	cmd.Flags().BoolVar(&f.json, "json", false, "print a line of JSON per test")
	return cmd
}

func run(cmd *cobra.Command, files []string, f flags, registry func() (config.Registry, error)) error {
	match, err := regexp.Compile(f.run)
	if err != nil {
		return fmt.Errorf("--run: %w", err)
	}
	reg, err := registry()
	if err != nil {
		return err
	}
	passed, failed, broken := 0, 0, 0
	for _, file := range files {
		results, err := runFile(cmd, file, match, reg)
		if err != nil {
			broken++
			report(cmd.ErrOrStderr(), err)
			continue
		}
		for _, r := range results {
			if r.OK() {
				passed++
			} else {
				failed++
			}
			if err := f.print(cmd.OutOrStdout(), file, r); err != nil {
				return err
			}
		}
	}
	if !f.json {
		fmt.Fprintf(cmd.OutOrStdout(), "%d passed, %d failed\n", passed, failed)
	}
	switch {
	case broken > 0:
		return exitError{exitBroken}
	case failed > 0:
		return exitError{exitFailed}
	case passed == 0:
		fmt.Fprintln(cmd.ErrOrStderr(), "weft: no test has such a title")
		return exitError{exitBroken}
	}
	return nil
}

func runFile(cmd *cobra.Command, file string, match *regexp.Regexp, reg config.Registry) ([]routetest.Result, error) {
	s, err := routetest.Load(file)
	if err != nil {
		return nil, err
	}
	return s.Run(cmd.Context(), reg, match.MatchString)
}

func report(w io.Writer, err error) {
	if problems, ok := errors.AsType[config.Problems](err); ok {
		for _, p := range problems {
			fmt.Fprintln(w, p)
		}
		return
	}
	fmt.Fprintf(w, "weft: %v\n", err)
}

func (f flags) print(w io.Writer, file string, r routetest.Result) error {
	if f.json {
		return json.NewEncoder(w).Encode(struct {
			File     string   `json:"file"`
			Line     int      `json:"line"`
			Test     string   `json:"test"`
			OK       bool     `json:"ok"`
			Failures []string `json:"failures,omitempty"`
		}{file, r.Line, r.Title, r.OK(), r.Failures})
	}
	if r.OK() {
		if !f.verbose {
			return nil
		}
		_, err := fmt.Fprintf(w, "ok    %s:%d: %s\n", file, r.Line, r.Title)
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "FAIL  %s:%d: %s\n", file, r.Line, r.Title)
	for _, failure := range r.Failures {
		fmt.Fprintf(&b, "      %s\n", failure)
	}
	for line := range strings.Lines(r.Explanation) {
		b.WriteString("        " + line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
