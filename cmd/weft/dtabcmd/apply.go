package dtabcmd

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

func (a *app) apply() *cobra.Command {
	var o applyFlags
	cmd := &cobra.Command{
		Use:   "apply DIR",
		Short: "Make the namespaces what the files of a directory say",
		Long: "Apply creates and updates namespaces so that they are what DIR has: NAME.dtab, NAME.yaml (or .yml) or NAME.json for\n" +
			"the namespace NAME. Other files are refused, except *.md and hidden ones; directories in DIR are not looked at.\n" +
			"Nothing is changed unless all files can be read. What somebody else changes meanwhile is left alone and reported.\n\n" +
			"Rules are compared in their canonical form, so what is written differently but means the same is no change.",
		Example: "  weft dtab apply routes/ --dry-run --exit-code   # in CI: is anything to be done?\n" +
			"  weft dtab apply routes/ --prune -m \"$(git log -1 --format='%h %s')\"",
		RunE: a.online(1, 1, "apply requires a directory", func(s *session, args []string) error { return s.apply(args[0], o) }),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	}
	cmd.Flags().BoolVar(&o.dry, "dry-run", false, "show what would be changed, and change nothing")
	cmd.Flags().BoolVar(&o.prune, "prune", false, "delete the namespaces that DIR does not have")
	cmd.Flags().BoolVar(&o.exitCode, "exit-code", false, "with --dry-run: exit with 1 if something would be changed")
	return cmd
}

type applyFlags struct{ dry, prune, exitCode bool }

// step is what is to be done with a namespace.
type step struct {
	namespace string
	verb      string // Created, Updated, Unchanged, Deleted
	now       namerd.Stored
	dtab      dtab.Dtab
}

const (
	created   = "Created"
	updated   = "Updated"
	unchanged = "Unchanged"
	deleted   = "Deleted"
)

func (s *session) apply(dir string, o applyFlags) error {
	wanted, err := readDirectory(dir)
	if err != nil {
		return usagef("%w", err)
	}
	if len(wanted) == 0 {
		return usagef("%s has no NAME.dtab, NAME.yaml or NAME.json", dir)
	}
	plan, err := s.plan(wanted, o.prune)
	if err != nil {
		return err
	}
	done := map[string]int{}
	var failed []error
	for _, st := range plan {
		if o.dry {
			err = s.show(st)
		} else {
			err = s.perform(st)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", st.namespace, inWords(err)))
			if s.ctx.Err() != nil || statusOf(err) == exitTransport {
				break // the others will fare no better
			}
			continue
		}
		done[st.verb]++
	}
	would := ""
	if o.dry {
		would = "would be "
	}
	if err := s.printf("%s%d created, %d updated, %d unchanged, %d deleted\n",
		would, done[created], done[updated], done[unchanged], done[deleted]); err != nil {
		return err
	}
	if len(failed) > 0 {
		return &ExitError{Code: statusOf(failed[0]), Err: errors.Join(failed...)}
	}
	if o.dry && o.exitCode && done[unchanged] < len(plan) {
		return &ExitError{Code: exitDifferent}
	}
	return nil
}

// plan reads what there is, and says what is to be done. Deletions come last.
func (s *session) plan(wanted map[string]dtab.Dtab, prune bool) ([]step, error) {
	names, err := s.client.List(s.ctx)
	if err != nil {
		return nil, err
	}
	var plan []step
	for _, namespace := range slices.Sorted(maps.Keys(wanted)) {
		st := step{namespace: namespace, verb: created, dtab: wanted[namespace]}
		if st.now, err = s.client.Get(s.ctx, namespace); err != nil {
			return nil, err
		}
		if st.now.Exists {
			st.verb = updated
			if same(st.now.Dtab, st.dtab) {
				st.verb = unchanged
			}
		}
		plan = append(plan, st)
	}
	slices.Sort(names)
	for _, namespace := range names {
		if _, keep := wanted[namespace]; keep || !prune {
			continue
		}
		st := step{namespace: namespace, verb: deleted}
		if st.now, err = s.client.Get(s.ctx, namespace); err != nil {
			return nil, err
		}
		if st.now.Exists {
			plan = append(plan, st)
		}
	}
	return plan, nil
}

// show prints what would be done.
func (s *session) show(st step) error {
	if st.verb == unchanged {
		return nil
	}
	to := st.namespace
	if st.verb == deleted {
		to = "/dev/null"
	}
	text := diffOf(label(st.namespace, st.now), to, st.now.Dtab, st.dtab)
	if text == "" { // without rules there is no difference to show
		text = fmt.Sprintf("--- %s\n+++ %s\n", label(st.namespace, st.now), to)
	}
	return s.printf("%s", text)
}

// perform does it.
func (s *session) perform(st step) error {
	var err error
	switch st.verb {
	case deleted:
		err = s.client.Delete(s.ctx, st.namespace, st.now.Version)
	case created, updated:
		_, err = s.write(s.note, st.namespace, st.dtab, st.now)
	}
	if err != nil {
		return err
	}
	return s.printf("%s %s\n", st.verb, st.namespace)
}
