package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
)

type explainFlags struct {
	dtab    string
	headers []string
	method  string
	router  string
	timeout time.Duration
	json    bool
}

func explainCommand() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain FILE|- PATH",
		Short: "Explain how a name or a request would be routed",
		Long: "Explain shows, for each router of a configuration, how it would route PATH: every rewrite with the rule that\n" +
			"made it, every namer's answer, the branch that is taken and why the others are not.\n\n" +
			"PATH is a logical name such as /svc/web. With -H or --method it is the target of a request, such as /index.html,\n" +
			"and the router's identifier finds the name in it:\n\n" +
			"  weft explain linkerd.yaml /svc/web\n" +
			"  weft explain linkerd.yaml / -H 'Host: web' -H 'l5d-dtab: /svc/web => /svc/web-v2'",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return explain(cmd, args[0], args[1], f) },
	}
	cmd.Flags().StringVar(&f.dtab, "dtab", "", "a per-request dtab, as in an l5d-dtab header")
	cmd.Flags().StringArrayVarP(&f.headers, "header", "H", nil, "a header of the request, as 'name: value'; may be repeated")
	cmd.Flags().StringVarP(&f.method, "method", "X", "", "the method of the request (GET if there are headers)")
	cmd.Flags().StringVar(&f.router, "router", "", "the label of the only router to ask")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 5*time.Second, "how long to wait for namers to answer")
	cmd.Flags().BoolVar(&f.json, "json", false, "print what /delegator.json answers")
	return cmd
}

func explain(cmd *cobra.Command, file, target string, f explainFlags) error {
	q, err := f.question(cmd.Context(), target)
	if err != nil {
		return err
	}
	cfg, err := load(cmd, file, config.Options{})
	if err != nil {
		return err
	}
	p, err := proxy.New(cfg, proxy.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer p.Close() //nolint:errcheck // nothing was served
	ctx, cancel := context.WithTimeout(cmd.Context(), f.timeout)
	defer cancel()
	asked, answered := false, false
	for _, r := range p.Routers() {
		if f.router != "" && f.router != r.Label {
			continue
		}
		asked = true
		a, err := proxy.Explain(ctx, r, q)
		answered = answered || err == nil
		if err := f.print(cmd.OutOrStdout(), r, q, a, err); err != nil {
			return err
		}
	}
	if !asked {
		return fmt.Errorf("no router is labelled %q", f.router)
	}
	if !f.json {
		if err := printDiscovery(cmd.OutOrStdout(), p.Discovery()); err != nil {
			return err
		}
	}
	if !answered {
		return errReported
	}
	return nil
}

// printDiscovery says where the answers come from: what is watched, which version of
// it was seen when, and what fails.
func printDiscovery(w io.Writer, all []proxy.Discovery) error {
	var b strings.Builder
	now := time.Now()
	for _, d := range all {
		watches := d.Watches()
		if len(watches) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%s (%s) watches\n", d.Name, d.Kind)
		for _, s := range watches {
			fmt.Fprintf(&b, "  %s\n", s.Text(now))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// question is what the command line asks about.
func (f explainFlags) question(ctx context.Context, target string) (proxy.Question, error) {
	var q proxy.Question
	var err error
	if f.dtab != "" {
		if q.Local, err = dtab.Parse(f.dtab); err != nil {
			return q, fmt.Errorf("--dtab: %w", err)
		}
	}
	if len(f.headers) == 0 && f.method == "" {
		q.Name, err = dtab.ParsePath(target)
		if err == nil && q.Name.IsEmpty() {
			err = errors.New("the name is empty; give -H headers to ask about a request")
		}
		return q, err
	}
	method := f.method
	if method == "" {
		method = "GET"
	}
	q.Request, err = proxy.NewRequest(ctx, method, target, f.headers)
	return q, err
}

func (f explainFlags) print(w io.Writer, r *plugin.Router, q proxy.Question, a proxy.Answer, failed error) error {
	if f.json {
		if failed != nil {
			return failed
		}
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return enc.Encode(a.Delegation)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "router %s (%s)\n", r.Label, r.Protocol)
	if q.Request != nil {
		fmt.Fprintf(&b, "  request: %s %s, Host: %s\n", q.Request.Method, q.Request.RequestURI, q.Request.Host)
	}
	if !a.Path.IsEmpty() {
		fmt.Fprintf(&b, "  name: %s\n", a.Path)
	}
	if len(r.Base) > 0 {
		fmt.Fprintf(&b, "  dtab: %s\n", r.Base)
	}
	if len(a.Local) > 0 {
		fmt.Fprintf(&b, "  override: %s\n", a.Local)
	}
	if a.Delegation.Kind != "" {
		for line := range strings.Lines(a.Delegation.Text()) {
			b.WriteString("  " + line)
		}
	}
	if failed != nil {
		fmt.Fprintf(&b, "  error: %v\n", failed)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
