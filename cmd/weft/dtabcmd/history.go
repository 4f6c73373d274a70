package dtabcmd

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/client"
)

func (a *app) history() *cobra.Command {
	var o historyFlags
	cmd := &cobra.Command{
		Use:   "history NAME",
		Short: "Show the changes of a namespace, the latest first",
		Long: "History shows when a namespace was changed, which version that made, how many rules came and went, by whom and why.\n" +
			"Linkerd's namerd keeps no history.",
		Example:           "  weft dtab history default\n  weft dtab history default --diff -n 3",
		RunE:              a.online(1, 1, "history requires a name argument", func(s *session, args []string) error { return s.history(args[0], o) }),
		ValidArgsFunction: a.completeNamespace,
	}
	cmd.Flags().IntVarP(&o.limit, "limit", "n", 20, "how many changes to show")
	cmd.Flags().BoolVar(&o.diff, "diff", false, "show what was changed")
	return cmd
}

type historyFlags struct {
	limit int
	diff  bool
}

func (s *session) history(namespace string, o historyFlags) error {
	if o.limit <= 0 {
		return usagef("--limit: %d changes are none", o.limit)
	}
	// One more than is shown says what the last one has changed.
	all, err := s.client.History(s.ctx, namespace, o.limit+1)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return &ExitError{Code: exitMissing, Err: fmt.Errorf("%w: no changes of %s are known", errNotFound, namespace)}
	}
	shown := all[:min(len(all), o.limit)]
	if s.json {
		enc := json.NewEncoder(s.out)
		enc.SetEscapeHTML(false)
		return enc.Encode(shown)
	}
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	if !o.diff {
		fmt.Fprintln(table, "WHEN\tVERSION\tCHANGE\tWHO\tWHY")
	}
	for i, c := range shown {
		var before dtab.Dtab
		if i+1 < len(all) {
			before = all[i+1].Dtab
		}
		edits := compare(rules(before), rules(c.Dtab))
		if !o.diff {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", when(c.At), orDash(client.ETag(c.Version)), summary(c, edits), orDash(c.Author), c.Reason)
			continue
		}
		fmt.Fprintf(&b, "%s  %s\n%s\n", when(c.At), about(c), unified(changeLabel(all, i+1), changeLabel(all, i), edits))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	// A row without a reason has blanks at its end.
	for line := range strings.Lines(b.String()) {
		if err := s.printf("%s\n", strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// when returns a time as people here read it.
func when(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// summary says how much a change has changed.
func summary(c namerd.Change, edits []edit) string {
	if c.Deleted {
		return "deleted"
	}
	added, removed := counts(edits)
	return fmt.Sprintf("+%d -%d", added, removed)
}

// about says who made a change and why.
func about(c namerd.Change) string {
	var b strings.Builder
	if c.Deleted {
		b.WriteString("deleted")
	} else {
		b.WriteString("version " + client.ETag(c.Version))
	}
	if c.Author != "" {
		b.WriteString(" by " + c.Author)
	}
	if c.Reason != "" {
		b.WriteString(": " + c.Reason)
	}
	return b.String()
}

// changeLabel names what a change made.
func changeLabel(all []namerd.Change, i int) string {
	if i >= len(all) || all[i].Deleted {
		return "/dev/null"
	}
	return "version " + client.ETag(all[i].Version)
}
