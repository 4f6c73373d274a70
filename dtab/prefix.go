package dtab

import "strings"

// wildcard is the element of a Prefix that matches any one element. A label of
// the byte "*" is written \x2a, so the two cannot be confused.
const wildcard = "*"

// Prefix is the pattern of a Dentry: a path whose elements may be the wildcard
// "*". It holds its canonical text, so it is comparable; the zero value is "/",
// which matches every path.
type Prefix struct{ s string }

// ParsePrefix reads a prefix, with blanks and comments allowed around it. The
// error is a *SyntaxError.
func ParsePrefix(s string) (Prefix, error) {
	r := parser{in: s}
	x, err := r.prefix()
	if err != nil {
		return Prefix{}, err
	}
	if err := r.end(); err != nil {
		return Prefix{}, err
	}
	return x, nil
}

// MustPrefix is ParsePrefix for text known to be right; it panics on any other.
func MustPrefix(s string) Prefix { return must(ParsePrefix(s)) }

// PrefixOf returns the prefix that matches p and the paths below it.
func PrefixOf(p Path) Prefix { return Prefix(p) }

// String returns the canonical text.
func (x Prefix) String() string { return Path(x).String() }

// Len returns the number of elements.
func (x Prefix) Len() int { return Path(x).Len() }

// Wildcard reports whether element i, counted from 0, is the wildcard.
func (x Prefix) Wildcard(i int) bool { return Path(x).Shown(i) == wildcard }

// Elem returns the bytes of element i, counted from 0, and "" if there is none
// or if it is the wildcard.
func (x Prefix) Elem(i int) string {
	if x.Wildcard(i) {
		return ""
	}
	return Path(x).Elem(i)
}

// Path returns x as a path, and false if it has wildcards.
func (x Prefix) Path() (Path, bool) {
	if strings.Contains(x.s, wildcard) {
		return Path{}, false
	}
	return Path(x), true
}

// Matches reports whether x matches p: p has at least as many elements, and
// each label of x equals, byte for byte, the element of p in the same place.
func (x Prefix) Matches(p Path) bool {
	_, ok := x.match(p)
	return ok
}

// match returns where in the text of p the part starts that x leaves over.
func (x Prefix) match(p Path) (at int, ok bool) {
	if p.HasPrefix(Path(x)) {
		return len(x.s), true
	}
	star := strings.IndexByte(x.s, wildcard[0])
	if star < 0 || !strings.HasPrefix(p.s, x.s[:star]) {
		return 0, false
	}
	pat, at := x.s[star-1:], star-1
	for pat != "" {
		var want, have string
		want, pat = cutElement(pat)
		have, _ = cutElement(p.s[at:])
		if have == "" || want != wildcard && want != have {
			return 0, false
		}
		at += 1 + len(have)
	}
	return at, true
}

// MarshalText returns the canonical text; the error is always nil.
func (x Prefix) MarshalText() ([]byte, error) { return []byte(x.String()), nil }

// UnmarshalText is ParsePrefix.
func (x *Prefix) UnmarshalText(text []byte) error {
	y, err := ParsePrefix(string(text))
	if err != nil {
		return err
	}
	*x = y
	return nil
}
