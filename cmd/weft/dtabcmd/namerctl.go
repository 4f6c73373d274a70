package dtabcmd

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/namerd/client"
)

// The five commands of namerctl. They say what it says and send what it sends.

func (a *app) list() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the namespaces",
		Example: "  weft dtab list\n  weft dtab list --json",
		RunE: a.online(0, 0, "list does not take arguments", func(s *session, _ []string) error {
			names, err := s.client.List(s.ctx)
			if err != nil {
				return err
			}
			if s.json {
				return s.printJSON(names)
			}
			return s.printf("%s\n", strings.Join(names, "\n"))
		}),
	}
}

func (a *app) get() *cobra.Command {
	var pretty bool
	cmd := &cobra.Command{
		Use:     "get NAME",
		Aliases: []string{"cat"},
		Short:   "Get the dtab of a namespace",
		Example: "  weft dtab get default\n  weft dtab get default --pretty=false\n  weft dtab get default --json",
		RunE: a.online(1, 1, "get requires a name argument", func(s *session, args []string) error {
			d, err := s.document(args[0])
			switch {
			case err != nil:
				return err
			case s.json:
				return s.printJSON(d)
			case !pretty:
				return s.printf("%s\n", d.line())
			case d.Version != "":
				return s.printf("# version %s\n%s", d.Version, d.pretty())
			default:
				return s.printf("%s", d.pretty())
			}
		}),
		ValidArgsFunction: a.completeNamespace,
	}
	cmd.Flags().BoolVar(&pretty, "pretty", true, "pretty-print dtabs")
	return cmd
}

func (a *app) create() *cobra.Command {
	return &cobra.Command{
		Use:     "create NAME FILE",
		Aliases: []string{"new"},
		Short:   "Create a namespace",
		Example: "  weft dtab create default routes.dtab\n  echo '/svc => /#/io.l5d.fs' | weft dtab create default -",
		RunE: a.online(2, 2, "create requires a name and file path", func(s *session, args []string) error {
			in, err := readInput(s.in, args[1])
			if err != nil {
				return err
			}
			return s.send(http.MethodPost, "Created", args[0], in, "")
		}),
	}
}

func (a *app) update() *cobra.Command {
	var version string
	cmd := &cobra.Command{
		Use:     "update NAME FILE",
		Aliases: []string{"up"},
		Short:   "Replace the dtab of a namespace",
		Long: "Update replaces the dtab of a namespace, and makes the namespace if there is none and no version is given.\n" +
			"A version in a JSON file comes before --version.",
		Example: "  weft dtab update default routes.dtab --version AAAAAAAAAAE=",
		RunE: a.online(2, 2, "update requires a name and file path", func(s *session, args []string) error {
			in, err := readInput(s.in, args[1])
			if err != nil {
				return err
			}
			if in.version != "" {
				version = in.version
			}
			return s.send(http.MethodPut, "Updated", args[0], in, version)
		}),
		ValidArgsFunction: a.completeNamespace,
	}
	cmd.Flags().StringVar(&version, "version", "", "only perform update if the current version matches")
	return cmd
}

func (a *app) remove() *cobra.Command {
	var version string
	cmd := &cobra.Command{
		Use:     "delete NAME",
		Aliases: []string{"del", "rm"},
		Short:   "Delete a namespace",
		Example: "  weft dtab delete default -m 'not used any more'",
		RunE: a.online(1, 1, "delete requires one argument", func(s *session, args []string) error {
			return s.send(http.MethodDelete, "Deleted", args[0], nil, version)
		}),
		ValidArgsFunction: a.completeNamespace,
	}
	cmd.Flags().StringVar(&version, "version", "", "only delete if the current version matches (Linkerd's namerd does not look at it)")
	return cmd
}

// document asks for a dtab as it is shown, in strings.
func (s *session) document(namespace string) (document, error) {
	r, err := dtabRequest(http.MethodGet, namespace)
	if err != nil {
		return document{}, err
	}
	r.Header.Set("Accept", "application/json")
	rsp, err := s.client.Do(s.ctx, r)
	if err != nil {
		return document{}, err
	}
	d := document{Version: client.TrimETag(rsp.Header.Get("ETag"))}
	if err := json.Unmarshal(rsp.Body, &d.Dtab); err != nil {
		return document{}, fmt.Errorf("namerd's answer makes no sense: %w", err)
	}
	return d, nil
}

// send makes a write. The version is sent as it was given: what it looks like is
// namerd's business.
func (s *session) send(method, done, namespace string, in *input, version string) error {
	r, err := dtabRequest(method, namespace)
	if err != nil {
		return err
	}
	if in != nil {
		r.Body = in.body
		r.Header.Set("Content-Type", in.contentType)
	}
	if version != "" {
		r.Header.Set("If-Match", version)
	}
	if _, err := s.client.Do(s.ctx, r); err != nil {
		return err
	}
	return s.printf("%s %s\n", done, namespace)
}

func dtabRequest(method, namespace string) (client.Request, error) {
	if namespace == "" {
		return client.Request{}, usagef("the name of the namespace is empty")
	}
	return client.Request{Method: method, Path: "dtabs/" + client.Escape(namespace), Header: http.Header{}}, nil
}

func (s *session) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(s.out, format, args...)
	return err
}

// printJSON prints what json.Marshal returns, as namerctl does.
func (s *session) printJSON(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.printf("%s\n", b)
}
