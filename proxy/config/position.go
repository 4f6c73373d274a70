package config

import (
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// inside returns the position in the document of the byte at offset of the scalar
// n's value.
//
// Folding, indentation and line breaks change only the blanks of a value, so the
// position is found by counting characters that are not blank, from where the
// scalar's text begins. Escapes in double quotes count as what they stand for.
func (doc *Document) inside(n *yaml.Node, offset int) (line, column int) {
	offset = min(max(offset, 0), len(n.Value))
	want := visible(n.Value[:offset])
	// A fault at a blank or at the end is shown right after what stands before it.
	atEnd := offset == len(n.Value) || want > 0 && isBlank(n.Value[offset])

	s := scanner{lines: doc.source, line: n.Line, column: n.Column, style: n.Style}
	if !s.begin(n) {
		return n.Line, n.Column
	}
	line, column = s.line, s.column
	if want == 0 && atEnd {
		return line, column
	}
	for seen := 0; ; {
		at := s
		c, ok := s.next()
		if !ok {
			return line, column
		}
		if unicode.IsSpace(c) {
			continue
		}
		line, column = at.line, at.column
		if seen == want && !atEnd {
			return line, column
		}
		line, column = s.line, s.column
		if seen++; seen == want && atEnd {
			return line, column
		}
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' }

func visible(s string) int {
	n := 0
	for _, c := range s {
		if !unicode.IsSpace(c) {
			n++
		}
	}
	return n
}

// scanner walks the characters of a scalar in the source.
type scanner struct {
	lines        []string
	line, column int // from 1; the column may be one past the end of the line
	style        yaml.Style

	current []rune // line number at
	at      int
}

// begin moves from the scalar's first character to the first one of its text.
func (s *scanner) begin(n *yaml.Node) bool {
	if s.line < 1 || s.line > len(s.lines) {
		return false
	}
	c, ok := s.peek()
	switch {
	case s.style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		s.line, s.column = s.line+1, 1
		return ok && (c == '|' || c == '>')
	case s.style&yaml.DoubleQuotedStyle != 0:
		s.column++
		return ok && c == '"'
	case s.style&yaml.SingleQuotedStyle != 0:
		s.column++
		return ok && c == '\''
	}
	return ok && n.Value != "" && strings.HasPrefix(n.Value, string(c))
}

func (s *scanner) peek() (rune, bool) {
	if s.line > len(s.lines) {
		return 0, false
	}
	if s.at != s.line {
		s.current, s.at = []rune(s.lines[s.line-1]), s.line
	}
	if s.column > len(s.current) {
		return '\n', true
	}
	return s.current[s.column-1], true
}

// next returns the next character of the value and moves past it.
func (s *scanner) next() (rune, bool) {
	c, ok := s.step()
	switch {
	case !ok:
		return 0, false
	case c == '\'' && s.style&yaml.SingleQuotedStyle != 0:
		return s.step() // '' stands for one quote
	case c == '\\' && s.style&yaml.DoubleQuotedStyle != 0:
		return s.escape()
	}
	return c, true
}

func (s *scanner) step() (rune, bool) {
	c, ok := s.peek()
	if s.column++; c == '\n' {
		s.line, s.column = s.line+1, 1
	}
	return c, ok
}

// escape reads what follows a backslash in double quotes.
func (s *scanner) escape() (rune, bool) {
	c, ok := s.step()
	digits, isHex := map[rune]int{'x': 2, 'u': 4, 'U': 8}[c]
	if !ok || !isHex {
		if strings.ContainsRune("nrtvfN_LP \n", c) {
			return ' ', ok
		}
		return c, ok
	}
	var hex strings.Builder
	for range digits {
		d, _ := s.step()
		hex.WriteRune(d)
	}
	v, err := strconv.ParseUint(hex.String(), 16, 32)
	return rune(v), err == nil //nolint:gosec // eight hex digits at most
}
