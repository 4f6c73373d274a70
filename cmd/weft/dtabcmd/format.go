package dtabcmd

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/dtab"
)

func (a *app) format() *cobra.Command {
	var write, check bool
	cmd := &cobra.Command{
		Use:   "fmt FILE...",
		Short: "Format files with dtabs",
		Long: "Fmt prints dtabs with one rule a line and the arrows one below the other, in blocks that blank lines and comments\n" +
			"separate. Comments on lines of their own and after a semicolon are kept. Files of JSON and YAML are left alone.",
		Example: "  weft dtab fmt routes.dtab\n  weft dtab fmt -w routes/*.dtab",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("fmt requires a file path")
			}
			unformatted := false
			for _, file := range args {
				in, err := readInput(cmd.InOrStdin(), file)
				if err != nil {
					return err
				}
				if in.contentType != "application/dtab" || strings.HasSuffix(file, ".yaml") || strings.HasSuffix(file, ".yml") {
					return usagef("%s: only dtabs in text are formatted", in.name)
				}
				text, err := formatted(string(in.body), in.dtab)
				if err != nil {
					return usagef("%s: %w", in.name, err)
				}
				same := bytes.Equal(in.body, []byte(text))
				switch {
				case check && !same:
					unformatted = true
					fmt.Fprintln(cmd.OutOrStdout(), file)
				case check:
				case write && file != "-":
					if !same {
						err = os.WriteFile(file, []byte(text), 0o644) // the file is there, and keeps its mode
					}
				default:
					_, err = fmt.Fprint(cmd.OutOrStdout(), text)
				}
				if err != nil {
					return usagef("%w", err)
				}
			}
			if unformatted {
				return &ExitError{Code: exitDifferent}
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&write, "write", "w", false, "write the result to the file")
	cmd.Flags().BoolVar(&check, "check", false, "list the files that are not formatted, and exit with 1 if there are any")
	return cmd
}

// line is a line of a formatted file: a rule and its comment, a comment, or neither.
type line struct {
	rule    *rule
	comment string
}

// formatted returns the text of d in the usual layout, with the comments of text.
func formatted(text string, d dtab.Dtab) (string, error) {
	lines, err := layout(text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for len(lines) > 0 {
		n := 0
		var doc document
		for n < len(lines) && lines[n].rule != nil {
			doc.Dtab = append(doc.Dtab, lines[n].rule)
			n++
		}
		for i, rule := range strings.Split(strings.TrimSuffix(doc.pretty(), "\n"), "\n")[:n] {
			b.WriteString(strings.TrimRight(rule+" "+lines[i].comment, " ") + "\n")
		}
		if n < len(lines) {
			b.WriteString(lines[n].comment + "\n")
			n++
		}
		lines = lines[n:]
	}
	out := strings.Trim(b.String(), "\n")
	if out != "" {
		out += "\n"
	}
	again, err := dtab.Parse(out)
	if err != nil || !again.Equal(d) || strings.Count(out, "#") != strings.Count(text, "#") {
		return "", errMoved
	}
	return out, nil
}

var errMoved = errors.New("its comments cannot be kept: put them on lines of their own, or after semicolons")

// layout splits a text into rules, comments and single blank lines.
func layout(text string) ([]line, error) {
	// A comment after a rule: no path has a semicolon in it.
	trailing := regexp.MustCompile(`;[ \t]*(#.*)$`)
	var lines []line
	pending, blank := "", false
	for l := range strings.SplitSeq(text, "\n") {
		l = strings.TrimSpace(l)
		comment := ""
		switch at := trailing.FindStringSubmatchIndex(l); {
		case strings.HasPrefix(l, "#"):
			l, comment = "", l
		case at != nil:
			l, comment = l[:at[0]+1], l[at[2]:]
		case l == "":
			blank = blank || pending == "" && len(lines) > 0
			continue
		}
		pending = strings.TrimSpace(pending + " " + l)
		if comment == "" && !strings.HasSuffix(pending, ";") {
			continue // a rule goes on, or is the last one
		}
		if blank {
			lines, blank = append(lines, line{}), false
		}
		d, err := dtab.Parse(pending)
		if err != nil || comment != "" && pending != "" && l == "" {
			return nil, errMoved
		}
		lines = append(lines, linesOf(d)...)
		pending = ""
		switch {
		case comment == "":
		case len(d) == 0:
			lines = append(lines, line{comment: comment})
		default:
			lines[len(lines)-1].comment = comment
		}
	}
	d, err := dtab.Parse(pending)
	if err != nil {
		return nil, errMoved
	}
	if blank && len(d) > 0 {
		lines = append(lines, line{})
	}
	return append(lines, linesOf(d)...), nil
}

func linesOf(d dtab.Dtab) []line {
	var lines []line
	for _, r := range documentOf(d).Dtab {
		lines = append(lines, line{rule: r})
	}
	return lines
}

func (a *app) validate() *cobra.Command {
	return &cobra.Command{
		Use:     "validate FILE...",
		Short:   "Check files with dtabs",
		Example: "  weft dtab validate routes/*.dtab",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("validate requires a file path")
			}
			var problems []error
			for _, file := range args {
				in, err := readInput(cmd.InOrStdin(), file)
				if err != nil {
					problems = append(problems, err)
					continue
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: ok: %d rules\n", in.name, len(in.dtab))
			}
			if len(problems) > 0 {
				return usagef("%w", errors.Join(problems...))
			}
			return nil
		},
	}
}
