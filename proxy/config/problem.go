package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong with a configuration, and where.
type Problem struct {
	// File is the name that the document was parsed under; it may be empty.
	File string

	// Line and Column count from 1, columns in characters. They are 0 when the
	// configuration does not come from a document.
	Line, Column int

	// Path is the place in the configuration, such as
	// "routers[0].client.tls.commonName"; it is empty for the document as a whole.
	Path string

	// Message says what is wrong and, where that is known, what would be right.
	Message string

	// Warning marks what does not keep the configuration from being used.
	Warning bool
}

// String returns "file:line:col: path: message", without the parts that are
// missing.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File + ":")
	}
	if p.Line > 0 {
		b.WriteString(strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column) + ":")
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	if p.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems is the error of a configuration: everything that is wrong with it, in
// the order of the document.
type Problems []Problem //nolint:errname // it is the word for what it holds

// Error returns the problems, one per line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Split returns the problems that are errors and those that are warnings.
func (ps Problems) Split() (errs, warnings Problems) {
	for _, p := range ps {
		if p.Warning {
			warnings = append(warnings, p)
		} else {
			errs = append(errs, p)
		}
	}
	return errs, warnings
}

// sorted returns the problems by position, equal ones once.
func (ps Problems) sorted() Problems {
	ps = slices.Clone(ps)
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(ps)
}

// err returns the problems as an error, nil if there are none.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}
