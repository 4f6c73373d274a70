// Command bench measures what a request through weft costs, beside other proxies, and
// publishes it in docs/performance.md. It is a module of its own, so that what it
// needs is not what weft needs. Run it with make bench-wire; its settings are
// environment variables, which docs/performance.md lists.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/weft-mesh/weft/bench/report"
	"github.com/weft-mesh/weft/bench/suite"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:forbidigo // the end of a program
	}
}

func run(ctx context.Context) error {
	s, err := settingsFrom(os.Getenv)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "weft-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	_ = os.Chmod(dir, 0o755) // workers of nginx may run as another user
	o := s.options
	o.Dir, o.Log = dir, os.Stderr

	start := time.Now()
	r := &report.Report{
		Date: start.Format("2006-01-02 15:04 MST"), Command: s.command, Machine: suite.Machine(),
		Rounds: o.Rounds, Seconds: o.Time.Seconds(),
	}
	meter, err := suite.StartMeter()
	if err != nil {
		return err
	}
	if err := suite.Run(ctx, o, r); err != nil {
		return err
	}
	note, err := meter.Note()
	if err != nil {
		return err
	}
	r.Notes = append(r.Notes, note)
	r.Minutes = time.Since(start).Minutes()
	return publish(s, r)
}

// publish writes the report into the directory of the settings, and prints it.
func publish(s settings, r *report.Report) error {
	var text strings.Builder
	report.Markdown(&text, r)
	fmt.Fprint(os.Stdout, text.String())
	if s.baseline != "" {
		old, err := report.Read(s.baseline)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stdout, "## Compared with %s\n\n", s.baseline)
		for _, metric := range []string{report.CPU, report.P99, report.PerIdle} {
			report.Compare(os.Stdout, old, r, metric)
			fmt.Fprintln(os.Stdout)
		}
	}
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	if err := r.Write(s.file("json")); err != nil {
		return err
	}
	if err := os.WriteFile(s.file("svg"), []byte(report.Plot(r, report.Panels())), 0o644); err != nil {
		return err
	}
	doc, err := os.ReadFile(s.file("md"))
	body := text.String()
	if err == nil {
		if body, err = report.Insert(string(doc), body); err != nil {
			return err
		}
	}
	if err := os.WriteFile(s.file("md"), []byte(body), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "written: %s, .svg and .json\n", s.file("md"))
	return nil
}
