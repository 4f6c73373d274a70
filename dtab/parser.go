package dtab

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// parser reads, by recursive descent without looking back, what Finagle's
// NameTreeParsers reads, and expects what that expects.
type parser struct {
	in    string
	at    int // in bytes
	depth int // open parentheses
}

// fail returns the error that expected is not what is here.
func (r *parser) fail(expected string) error {
	if r.at == len(r.in) {
		return r.failOn(expected, "end of input")
	}
	c, _ := utf8.DecodeRuneInString(r.in[r.at:])
	return r.failOn(expected, "'"+string(c)+"'")
}

// failOn is fail with words for what is here.
func (r *parser) failOn(expected, found string) error {
	return newSyntaxError(r.in, r.at, expected, found)
}

// peek returns the next byte and 0, which has no meaning anywhere, at the end.
func (r *parser) peek() byte {
	if r.at == len(r.in) {
		return 0
	}
	return r.in[r.at]
}

// take goes past c if it is next.
func (r *parser) take(c byte) bool {
	if r.peek() != c {
		return false
	}
	r.at++
	return true
}

// eat goes past c, which must be next.
func (r *parser) eat(c byte) error {
	if !r.take(c) {
		return r.fail("'" + string(rune(c)) + "'")
	}
	return nil
}

// end goes past blanks, after which nothing may follow.
func (r *parser) end() error {
	r.space()
	if r.at < len(r.in) {
		return r.fail("end of input")
	}
	return nil
}

// space goes past blanks and comments.
func (r *parser) space() {
	for r.at < len(r.in) {
		c, n := rune(r.in[r.at]), 1
		if c >= utf8.RuneSelf {
			c, n = utf8.DecodeRuneInString(r.in[r.at:])
		}
		switch {
		case c == '#':
			if n = strings.IndexByte(r.in[r.at:], '\n'); n < 0 {
				n = len(r.in) - r.at
			}
		case !blank(c):
			return
		}
		r.at += n
	}
}

// blank is Java's Character.isWhitespace: unlike Go's it takes the separators
// U+001C to U+001F and leaves out U+0085 and the no-break spaces.
func blank(c rune) bool {
	switch c {
	case '\u00a0', '\u2007', '\u202f':
		return false
	}
	return '\t' <= c && c <= '\r' || '\x1c' <= c && c <= ' ' || c >= utf8.RuneSelf && unicode.Is(unicode.Z, c)
}
