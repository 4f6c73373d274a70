package dtabcmd

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/client"
)

func (a *app) rollback() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "rollback NAME [VERSION]",
		Short: "Make a namespace what it was before",
		Long: "Rollback makes the dtab of a namespace what it was in VERSION, by default in the one before the present, and shows\n" +
			"what that changes. It does nothing if somebody else has changed the namespace meanwhile. A namespace that was deleted\n" +
			"comes back. Rolling back is a change of its own: doing it twice takes it back. Linkerd's namerd keeps no history.",
		Example: "  weft dtab history default\n  weft dtab rollback default\n  weft dtab rollback default AAAAAAAAAAc= --dry-run",
		RunE: a.online(1, 2, "rollback requires a name and perhaps a version", func(s *session, args []string) error {
			version := ""
			if len(args) == 2 {
				version = args[1]
			}
			return s.rollback(args[0], version, dry)
		}),
		ValidArgsFunction: a.completeNamespace,
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "show what would be changed, and change nothing")
	return cmd
}

// farBack is how many changes are looked through.
const farBack = 1000

func (s *session) rollback(namespace, version string, dry bool) error {
	now, err := s.client.Get(s.ctx, namespace)
	if err != nil {
		return err
	}
	all, err := s.client.History(s.ctx, namespace, farBack)
	if err != nil {
		return err
	}
	to, err := target(all, now, version)
	if err != nil {
		return &ExitError{Code: exitMissing, Err: fmt.Errorf("%s: %w", namespace, err)}
	}
	if now.Exists && now.Dtab.Equal(to.Dtab) {
		return s.printf("Unchanged %s: it has the rules of version %s\n", namespace, client.ETag(to.Version))
	}
	text := diffOf(label(namespace, now), namespace+" (version "+client.ETag(to.Version)+")", now.Dtab, to.Dtab)
	if err := s.printf("%s", text); err != nil || dry {
		return err
	}
	note := s.note
	what := fmt.Sprintf("rollback to version %s of %s", client.ETag(to.Version), when(to.At))
	if note.Reason != "" {
		note.Reason += " (" + what + ")"
	} else {
		note.Reason = what
	}
	if _, err := s.write(note, namespace, to.Dtab, now); err != nil {
		return err
	}
	return s.printf("Rolled back %s to version %s\n", namespace, client.ETag(to.Version))
}

// target returns the change whose dtab is to be that of the namespace again.
func target(all []namerd.Change, now namerd.Stored, version string) (namerd.Change, error) {
	if version != "" {
		v, err := client.ParseETag(version)
		if err != nil {
			return namerd.Change{}, err
		}
		i := slices.IndexFunc(all, func(c namerd.Change) bool { return !c.Deleted && c.Version == v })
		if i < 0 {
			return namerd.Change{}, fmt.Errorf("its history has no version %s", version)
		}
		return all[i], nil
	}
	// Without the present version in it the history ends with something that was
	// overwritten by a write that it does not know of.
	i := slices.IndexFunc(all, func(c namerd.Change) bool { return c.Deleted != now.Exists && c.Version == now.Version })
	if i++; i >= len(all) {
		return namerd.Change{}, errors.New("its history has no version before the present one")
	}
	if all[i].Deleted {
		return namerd.Change{}, errors.New("it did not exist before the present version; name the version to go back to")
	}
	return all[i], nil
}
