package dtabcmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/client"
)

func (a *app) edit() *cobra.Command {
	return &cobra.Command{
		Use:   "edit NAME",
		Short: "Edit the dtab of a namespace in an editor",
		Long: "Edit opens the dtab in $VISUAL, $EDITOR or vi, and again if what was saved is not a dtab, with the reason in it.\n" +
			"It then shows what has changed and writes it, unless somebody else has changed the dtab meanwhile: then your text is\n" +
			"kept in a file. Nothing is written if the rules are the same, or if none are left.",
		Example: "  weft dtab edit default -m 'users to v2'",
		RunE: a.online(1, 1, "edit requires a name argument", func(s *session, args []string) error {
			now, err := s.present(args[0])
			if err != nil {
				return err
			}
			return s.edit(args[0], now)
		}),
		ValidArgsFunction: a.completeNamespace,
	}
}

// mark begins the lines of a file to edit that are not its author's.
const mark = "#:"

func (s *session) edit(namespace string, now namerd.Stored) error {
	dir, err := os.MkdirTemp("", "weft-dtab-")
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "edit.dtab")
	kept := false
	defer func() {
		if !kept {
			_ = os.RemoveAll(dir)
		}
	}()
	keep := func(err error) error {
		kept = true
		return fmt.Errorf("%w\nyour text is in %s", err, file)
	}
	body, trouble := documentOf(now.Dtab).pretty(), ""
	var d dtab.Dtab
	for {
		head := editHead(namespace, now, trouble)
		if err := os.WriteFile(file, []byte(head+body), 0o600); err != nil {
			return err
		}
		if err := s.runEditor(file); err != nil {
			return keep(err)
		}
		saved, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		before := body
		body = withoutMarks(string(saved))
		if d, err = dtab.Parse(body); err == nil {
			break
		}
		trouble = err.Error()
		if bad, ok := errors.AsType[*dtab.SyntaxError](err); ok {
			trouble = bad.Detail()
		}
		if body == before {
			return keep(usagef("not changed: %s", trouble))
		}
	}
	if len(d) == 0 && len(now.Dtab) > 0 {
		return usagef("not changed: no rules are left; to remove all of them, update %s with an empty file", namespace)
	}
	text := diffOf(label(namespace, now), namespace, now.Dtab, d)
	if text == "" {
		return s.printf("Unchanged %s\n", namespace)
	}
	if err := s.printf("%s", text); err != nil {
		return err
	}
	if _, err := s.write(s.note, namespace, d, now); err != nil {
		return &ExitError{Code: statusOf(err), Err: keep(inWords(err))}
	}
	return s.printf("Updated %s\n", namespace)
}

// write makes d the dtab of a namespace that was in the given state.
func (s *session) write(note namerd.Note, namespace string, d dtab.Dtab, now namerd.Stored) (namerd.Version, error) {
	c := s.client.WithNote(note)
	switch {
	case !now.Exists:
		return c.Create(s.ctx, namespace, d)
	case now.Version == "":
		return c.Put(s.ctx, namespace, d) // a namerd without versions
	default:
		return c.Update(s.ctx, namespace, d, now.Version)
	}
}

// editHead returns the lines above the rules. Their number does not depend on the
// rules, so that they can be counted in the place of an error.
func editHead(namespace string, now namerd.Stored, trouble string) string {
	lines := []string{
		"The dtab of the namespace " + namespace + ", version " + client.ETag(now.Version) + ".",
		"Later rules win. namerd keeps no comments; lines like these go away.",
	}
	if trouble != "" {
		lines = append(lines, "NOT SAVED: "+trouble, "(not counting these lines; save without a change to give up)")
	}
	return mark + " " + strings.Join(lines, "\n"+mark+" ") + "\n"
}

func withoutMarks(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, mark) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// runEditor lets the user's editor, which may have arguments, edit a file.
func (s *session) runEditor(file string) error {
	editor := "vi"
	for _, name := range []string{"EDITOR", "VISUAL"} {
		if e := os.Getenv(name); e != "" {
			editor = e
		}
	}
	cmd := exec.CommandContext(context.WithoutCancel(s.ctx), "/bin/sh", "-c", editor+` "$@"`, editor, file) // the user's own program
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.in, s.out, s.errs
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("editor %s: %w", editor, err)
	}
	return nil
}
