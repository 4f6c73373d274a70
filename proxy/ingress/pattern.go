package ingress

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// pattern is the path of an ImplementationSpecific rule.
type pattern struct {
	re      *regexp.Regexp // nil: everything, or the literal
	literal string         // how the paths begin that match
	all     bool
}

var errCaptures = errors.New("a path with capture groups matches nothing; use (?:...) for grouping")

// compile reads a path. A path without special characters, by far the most
// frequent, is not made a regular expression.
func compile(path string) (pattern, error) {
	switch {
	case path == "":
		return pattern{all: true}, nil
	case !strings.ContainsAny(path, `\.+*?()|[]{}^$`):
		return pattern{literal: path}, nil
	}
	re, err := regexp.Compile(`\A(?:` + path + `)\z`)
	if err != nil {
		return pattern{}, fmt.Errorf("the path is not a regular expression: %w", err)
	}
	if re.NumSubexp() > 0 {
		return pattern{}, errCaptures
	}
	inner, err := regexp.Compile(path)
	if err != nil {
		return pattern{}, fmt.Errorf("the path is not a regular expression: %w", err)
	}
	literal, _ := inner.LiteralPrefix()
	return pattern{re: re, literal: literal}, nil
}

// matches reports whether the pattern matches the whole path.
func (p pattern) matches(path string) bool {
	switch {
	case p.all:
		return true
	case p.re == nil:
		return path == p.literal
	case !strings.HasPrefix(path, p.literal):
		return false
	default:
		return p.re.MatchString(path)
	}
}
