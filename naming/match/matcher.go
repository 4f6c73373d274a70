package match

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// Matcher is a compiled pattern. It is immutable and safe for concurrent use; the
// zero Matcher matches every path and captures nothing.
type Matcher struct {
	text     string
	segments []segment
}

// segment is one element of a pattern: any, a literal, a single capture that takes
// the whole segment, or an expression with captures.
type segment struct {
	any     bool
	literal string
	names   []string
	expr    *regexp.Regexp // nil if the segment is a literal or a single capture
}

// Compile reads a pattern. It fails only when the text beside a capture is not a
// regular expression, as in "{a}(".
func Compile(pattern string) (*Matcher, error) {
	elems := strings.Split(pattern, "/")
	for len(elems) > 0 && elems[0] == "" {
		elems = elems[1:]
	}
	for len(elems) > 0 && elems[len(elems)-1] == "" {
		elems = elems[:len(elems)-1]
	}
	m := &Matcher{text: pattern}
	for _, e := range elems {
		s, err := compileSegment(e)
		if err != nil {
			return nil, fmt.Errorf("match: pattern %q: segment %q: %w", pattern, e, err)
		}
		m.segments = append(m.segments, s)
	}
	return m, nil
}

func compileSegment(text string) (segment, error) {
	if text == "*" {
		return segment{any: true}, nil
	}
	var expr strings.Builder
	var names []string
	rest := text
	for {
		before, name, after, ok := cutName(rest)
		expr.WriteString(strings.ReplaceAll(before, ".", `\.`))
		if !ok {
			break
		}
		expr.WriteString("(.*)")
		names = append(names, name)
		rest = after
	}
	switch {
	case len(names) == 0:
		return segment{literal: text}, nil
	case expr.String() == "(.*)":
		return segment{names: names}, nil
	}
	re, err := regexp.Compile(expr.String())
	if err != nil {
		return segment{}, err
	}
	if re.NumSubexp() != len(names) {
		return segment{}, errors.New("parentheses are not allowed beside a capture")
	}
	return segment{names: names, expr: re}, nil
}

// Match reports whether the pattern matches a prefix of p, and what its captures
// hold. Of two captures of one name the last counts. The map is nil when there are
// none.
func (m *Matcher) Match(p dtab.Path) (captures map[string]string, ok bool) {
	if len(m.segments) == 0 {
		return nil, true
	}
	rest := strings.TrimPrefix(p.String(), "/")
	for _, s := range m.segments {
		if rest == "" {
			return nil, false
		}
		var elem string
		elem, rest, _ = strings.Cut(rest, "/")
		switch {
		case s.any:
		case s.names == nil:
			if elem != s.literal {
				return nil, false
			}
		default:
			if captures, ok = s.capture(elem, captures); !ok {
				return nil, false
			}
		}
	}
	return captures, true
}

func (s segment) capture(elem string, into map[string]string) (map[string]string, bool) {
	values := []string{"", elem}
	if s.expr != nil {
		if values = s.expr.FindStringSubmatch(elem); values == nil {
			return nil, false
		}
	}
	if into == nil {
		into = make(map[string]string, len(s.names))
	}
	for i, name := range s.names {
		into[name] = values[i+1]
	}
	return into, true
}

// Names returns the names of the pattern's captures in order of first appearance.
func (m *Matcher) Names() []string {
	var names []string
	for _, s := range m.segments {
		for _, n := range s.names {
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	return names
}

// String returns the pattern as it was written.
func (m *Matcher) String() string { return m.text }
