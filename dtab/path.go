package dtab

import (
	"errors"
	"fmt"
	"iter"
	"strings"
)

// ErrEmptyElement says that a path was to be built with an element of no bytes,
// which cannot be written down. Its text is what Finagle raises; users see it.
var ErrEmptyElement = errors.New("requirement failed")

// Path is a name: an ordered list of non-empty byte strings. It holds its
// canonical text, so it is comparable and can be a map key; the zero value is
// the empty path, "/".
//
// Taking a Path apart gives substrings of it, which keep the whole text alive.
type Path struct{ s string } // "" for the empty path, else "/a/b" in canonical form

// ParsePath reads a path, with blanks and comments allowed around it. The error
// is a *SyntaxError.
func ParsePath(s string) (Path, error) {
	r := parser{in: s}
	r.space()
	text, err := r.elements(false)
	if err != nil {
		return Path{}, err
	}
	if err := r.end(); err != nil {
		return Path{}, err
	}
	return Path{text}, nil
}

// MustPath is ParsePath for text known to be right; it panics on any other.
func MustPath(s string) Path { return must(ParsePath(s)) }

// PathOf returns the path of the given elements, which are taken as raw bytes:
// nothing in them is an escape. The error wraps ErrEmptyElement.
func PathOf(elems ...string) (Path, error) {
	return Path{}.Append(elems...)
}

// String returns the canonical text: "/" for the empty path, else "/a/b", with
// every byte of an element escaped as \xhh if any byte of it needs to be.
func (p Path) String() string {
	if p.s == "" {
		return "/"
	}
	return p.s
}

// IsEmpty reports whether p has no elements.
func (p Path) IsEmpty() bool { return p.s == "" }

// Len returns the number of elements.
func (p Path) Len() int { return strings.Count(p.s, "/") }

// Elem returns the bytes of element i, counted from 0, and "" if there is none.
// The bytes need not be UTF-8.
func (p Path) Elem(i int) string { return unescape(p.Shown(i)) }

// Shown returns element i as String shows it, that is, with its escapes, and ""
// if there is no such element.
func (p Path) Shown(i int) string {
	if i < 0 {
		return ""
	}
	elem, _ := cutElement(p.s[offset(p.s, i):])
	return elem
}

// Elems yields the bytes of each element in order.
func (p Path) Elems() iter.Seq[string] {
	return func(yield func(string) bool) {
		for s := p.s; s != ""; {
			var elem string
			elem, s = cutElement(s)
			if !yield(unescape(elem)) {
				return
			}
		}
	}
}

// Strings returns the bytes of all elements; it is nil for the empty path.
func (p Path) Strings() []string {
	if p.s == "" {
		return nil
	}
	elems := make([]string, 0, p.Len())
	for e := range p.Elems() {
		elems = append(elems, e)
	}
	return elems
}

// Take returns the first n elements, or all if there are fewer.
func (p Path) Take(n int) Path { return Path{p.s[:offset(p.s, n)]} }

// Drop returns all but the first n elements, or none if there are fewer.
func (p Path) Drop(n int) Path { return Path{p.s[offset(p.s, n):]} }

// HasPrefix reports whether the first elements of p are those of q. Every path
// has the empty one as a prefix; /ab does not have the prefix /a.
func (p Path) HasPrefix(q Path) bool {
	rest, ok := strings.CutPrefix(p.s, q.s)
	return ok && (rest == "" || rest[0] == '/')
}

// Concat returns the elements of p followed by those of q.
func (p Path) Concat(q Path) Path { return Path{p.s + q.s} }

// Append returns p followed by the given elements, which are taken as raw
// bytes. The error wraps ErrEmptyElement.
func (p Path) Append(elems ...string) (Path, error) {
	size := len(p.s)
	for i, e := range elems {
		if e == "" {
			return Path{}, fmt.Errorf("dtab: path element %d of %d is empty: %w", i+1, len(elems), ErrEmptyElement)
		}
		size += 1 + shownLen(e)
	}
	var b strings.Builder
	b.Grow(size)
	b.WriteString(p.s)
	for _, e := range elems {
		b.WriteByte('/')
		writeShown(&b, e)
	}
	return Path{b.String()}, nil
}

// MarshalText returns the canonical text; the error is always nil.
func (p Path) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is ParsePath.
func (p *Path) UnmarshalText(text []byte) error {
	q, err := ParsePath(string(text))
	if err != nil {
		return err
	}
	*p = q
	return nil
}
