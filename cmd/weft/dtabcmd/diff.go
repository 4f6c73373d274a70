package dtabcmd

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/client"
)

func (a *app) diff() *cobra.Command {
	compareFile := a.online(2, 2, "diff requires a name and file path", func(s *session, args []string) error {
		in, err := readInput(s.in, args[1])
		if err != nil {
			return err
		}
		now, err := s.present(args[0])
		if err != nil {
			return err
		}
		if same(now.Dtab, in.dtab) {
			return nil
		}
		if err := s.printf("%s", diffOf(label(args[0], now), args[1], now.Dtab, in.dtab)); err != nil {
			return err
		}
		return &ExitError{Code: exitDifferent}
	})
	return &cobra.Command{
		Use:   "diff NAME FILE",
		Short: "Compare a namespace with a file",
		Long: "Diff shows what an update with FILE would change, rule by rule. As diff does, it exits with 0 if nothing would, 1 if\n" +
			"something would, and more if it could not be found out.",
		Example: "  weft dtab diff default routes.dtab",
		RunE: func(cmd *cobra.Command, args []string) error {
			err := compareFile(cmd, args)
			if failed, ok := errors.AsType[*ExitError](err); ok && failed.Err != nil && failed.Code == exitDifferent {
				failed.Code = exitMissing // 1 is for sides that differ
			}
			return err
		},
		ValidArgsFunction: a.completeNamespace,
	}
}

// present returns what is stored under a namespace, and an error if nothing is.
func (s *session) present(namespace string) (namerd.Stored, error) {
	st, err := s.client.Get(s.ctx, namespace)
	if err == nil && !st.Exists {
		err = &ExitError{Code: exitMissing, Err: fmt.Errorf("%w: %s", errNotFound, namespace)}
	}
	return st, err
}

// errNotFound has namerctl's words.
var errNotFound = errors.New("resource was not found by ID or name")

// diffOf returns the unified diff of the rules, "" if they are the same.
func diffOf(from, to string, before, after dtab.Dtab) string {
	return unified(from, to, compare(rules(before), rules(after)))
}

// label names a side of a diff.
func label(namespace string, s namerd.Stored) string {
	switch {
	case !s.Exists:
		return "/dev/null"
	case s.Version == "":
		return namespace
	default:
		return namespace + " (version " + client.ETag(s.Version) + ")"
	}
}
