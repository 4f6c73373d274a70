package dtabcmd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd/client"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/namerdhttp"
)

func (a *app) delegate() *cobra.Command {
	var override string
	cmd := &cobra.Command{
		Use:   "delegate NAME PATH",
		Short: "Explain how a name is bound",
		Long: "Delegate shows how namerd binds PATH by the dtab of the namespace: every rewrite with its rule, every branch, and\n" +
			"which of them is taken. With an empty NAME there are only the rules of --dtab.",
		Example: "  weft dtab delegate default /svc/web\n" +
			"  weft dtab delegate default /svc/web --dtab '/svc/web => /svc/web-v2'",
		RunE: a.online(2, 2, "delegate requires a name and a path", func(s *session, args []string) error {
			local, p, err := question(override, args[1])
			if err != nil {
				return err
			}
			d, err := s.client.Delegate(s.ctx, args[0], local, p)
			if err != nil {
				return err
			}
			if s.json {
				enc := json.NewEncoder(s.out)
				enc.SetEscapeHTML(false)
				return enc.Encode(d)
			}
			return s.printf("%s", d.Text())
		}),
		ValidArgsFunction: a.completeNamespace,
	}
	cmd.Flags().StringVar(&override, "dtab", "", "rules beside those of the namespace, which they win over")
	return cmd
}

func (a *app) bind() *cobra.Command {
	return a.ask("bind", "NAME PATH", "Show what a name is bound to, and the endpoints",
		"  weft dtab bind default /svc/web\n  weft dtab bind default /svc/web --watch", bindText)
}

func (a *app) addr() *cobra.Command {
	return a.ask("addr", "NAME ID", "Show the endpoints of a bound name",
		"  weft dtab addr default /#/io.l5d.fs/web", endpointText)
}

func (a *app) resolve() *cobra.Command {
	return a.ask("resolve", "NAME PATH", "Show the endpoints of a name",
		"  weft dtab resolve default /svc/web", endpointText)
}

// ask returns a command that shows what namerd answers under the API of its name.
func (a *app) ask(api, use, short, example string, text func(json.RawMessage) (string, error)) *cobra.Command {
	var override string
	var watch bool
	cmd := &cobra.Command{
		Use:     api + " " + use,
		Short:   short,
		Example: example,
		RunE: a.online(2, 2, api+" requires a name and a path", func(s *session, args []string) error {
			local, p, err := question(override, args[1])
			if err != nil {
				return err
			}
			if args[0] == "" {
				return usagef("the name of the namespace is empty")
			}
			r := client.Request{
				Path:   api + "/" + client.Escape(args[0]),
				Query:  url.Values{"path": {p.String()}},
				Header: http.Header{"Accept": {"application/json"}},
			}
			if len(local) > 0 {
				r.Query.Set("dtab", local.Exact())
			}
			return s.answers(r, watch, text)
		}),
		ValidArgsFunction: a.completeNamespace,
	}
	if api != "addr" {
		cmd.Flags().StringVar(&override, "dtab", "", "rules beside those of the namespace, which they win over")
	}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "show every change, until it is interrupted")
	return cmd
}

// answers prints the answer to a request, or all of a stream of answers.
func (s *session) answers(r client.Request, watch bool, text func(json.RawMessage) (string, error)) error {
	show := func(b json.RawMessage) error {
		if s.json {
			return s.printf("%s\n", strings.TrimSpace(string(b)))
		}
		out, err := text(b)
		if err != nil {
			return err
		}
		return s.printf("%s", out)
	}
	if watch {
		r.Query.Set("watch", "true")
		if err := s.client.Stream(s.ctx, r, show); s.ctx.Err() == nil {
			return err
		}
		return nil
	}
	rsp, err := s.client.Do(s.ctx, r)
	if err != nil {
		return err
	}
	return show(rsp.Body)
}

func question(override, path string) (dtab.Dtab, dtab.Path, error) {
	p, err := dtab.ParsePath(path)
	if err != nil {
		return nil, p, usagef("%w", err)
	}
	if p.IsEmpty() {
		return nil, p, usagef("the path is empty; want one such as /svc/web")
	}
	local, err := dtab.Parse(override)
	if err != nil {
		return nil, p, usagef("--dtab: %w", err)
	}
	return local, p, nil
}

// bindText returns the tree in one line, and below it each leaf with its endpoints.
func bindText(b json.RawMessage) (string, error) {
	t, err := client.ParseBound(b)
	if err != nil {
		return "", fmt.Errorf("namerd's answer makes no sense: %w", err)
	}
	var out strings.Builder
	out.WriteString(dtab.Show(t, boundText) + "\n")
	seen := map[string]bool{}
	dtab.Map(t, func(bound *naming.Bound) struct{} {
		if text := boundText(bound); !seen[text] {
			seen[text] = true
			st, _ := bound.Addrs(context.Background()).Load()
			fmt.Fprintf(&out, "  %s: %s\n", text, setText(st))
		}
		return struct{}{}
	})
	return out.String(), nil
}

func boundText(b *naming.Bound) string {
	if b.Residual.IsEmpty() {
		return b.ID.String()
	}
	return b.ID.String() + " + " + b.Residual.String()
}

func (a *app) boundNames() *cobra.Command {
	return &cobra.Command{
		Use:     "bound-names",
		Short:   "List the names that namerd's namers can enumerate",
		Example: "  weft dtab bound-names",
		RunE: a.online(0, 0, "bound-names does not take arguments", func(s *session, _ []string) error {
			names, err := s.client.BoundNames(s.ctx)
			if err != nil {
				return err
			}
			if s.json {
				return s.printJSON(names)
			}
			for _, p := range names {
				if err := s.printf("%s\n", p); err != nil {
					return err
				}
			}
			return nil
		}),
	}
}

// setText returns an endpoint set in one line.
func setText(st naming.State[weft.EndpointSet]) string {
	switch {
	case st.Known && st.Value.Neg:
		return "no such name"
	case st.Known && len(st.Value.Endpoints) == 0:
		return "no endpoints"
	case st.Known:
		addrs := make([]string, len(st.Value.Endpoints))
		for i, e := range st.Value.Endpoints {
			addrs[i] = endpointLine(e)
		}
		return strings.Join(addrs, ", ")
	case st.Err != nil:
		return "error: " + st.Err.Error()
	default:
		return "no answer yet"
	}
}

// endpointLine returns an address, with its weight if it has one.
func endpointLine(e weft.Endpoint) string {
	switch {
	case e.Weight < 0:
		return e.Addr + " (weight 0)"
	case e.Weight > 0:
		return fmt.Sprintf("%s (weight %g)", e.Addr, e.Weight)
	default:
		return e.Addr
	}
}

// endpointText returns the endpoints, one a line, or why there are none.
func endpointText(b json.RawMessage) (string, error) {
	st, err := namerdhttp.ParseAddr(b)
	if err != nil {
		return "", fmt.Errorf("namerd's answer makes no sense: %w", err)
	}
	if !st.Known || len(st.Value.Endpoints) == 0 {
		return setText(st) + "\n", nil
	}
	var out strings.Builder
	for _, e := range st.Value.Endpoints {
		out.WriteString(endpointLine(e) + "\n")
	}
	return out.String(), nil
}
