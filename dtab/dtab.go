package dtab

import (
	"slices"
	"strings"
)

// Dtab is an ordered list of rules. Later rules win. The zero value has none
// and matches nothing.
type Dtab []Dentry

// Parse reads a dtab; text of only blanks and comments is the empty one. The
// error is a *SyntaxError.
func Parse(s string) (Dtab, error) {
	r := parser{in: s}
	d, err := r.dtab()
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// MustParse is Parse for text known to be right; it panics on any other.
func MustParse(s string) Dtab { return must(Parse(s)) }

// String returns the canonical text, which Parse reads back, except that
// weights are rounded to two decimals.
func (d Dtab) String() string {
	var b strings.Builder
	for i, e := range d {
		if i > 0 {
			b.WriteByte(';')
		}
		b.WriteString(e.String())
	}
	return b.String()
}

// Exact is String with all decimals of the weights; see ExactTree. Parse reads d back.
func (d Dtab) Exact() string {
	var b strings.Builder
	for i, e := range d {
		if i > 0 {
			b.WriteByte(';')
		}
		b.WriteString(e.Exact())
	}
	return b.String()
}

// Concat returns the rules of d followed by those of e, which win.
func (d Dtab) Concat(e Dtab) Dtab {
	switch {
	case len(d) == 0:
		return e
	case len(e) == 0:
		return d
	}
	return slices.Concat(d, e)
}

// StripPrefix returns d without the rules of p if it begins with exactly those,
// else d.
func (d Dtab) StripPrefix(p Dtab) Dtab {
	if len(d) < len(p) || !d[:len(p)].Equal(p) {
		return d
	}
	return d[len(p):]
}

// Equal reports whether d and e have equal rules in the same order.
func (d Dtab) Equal(e Dtab) bool { return slices.EqualFunc(d, e, Dentry.Equal) }

// Equivalent reports whether d and e have, rule by rule, the same prefixes and
// destinations that are equal once simplified.
func (d Dtab) Equivalent(e Dtab) bool {
	return slices.EqualFunc(d, e, func(a, b Dentry) bool {
		return a.Prefix == b.Prefix && Equal(Simplify(a.Dst), Simplify(b.Dst))
	})
}

// Simplified returns d with every destination simplified, without the rules
// whose destination becomes Neg.
func (d Dtab) Simplified() Dtab {
	var s Dtab
	for _, e := range d {
		if e.Dst = Simplify(e.Dst); e.Dst.Op != Neg {
			s = append(s, e)
		}
	}
	return s
}

// Lookup rewrites p once: it returns the destination of the rule that matches,
// with the rest of p appended to its leaves; if several match, the Alt of those,
// last rule first; and Neg if none does. It tries every rule: see Index for long
// dtabs.
func (d Dtab) Lookup(p Path) Tree[Path] {
	var buf [inlineHits]hit
	return combine(d.hits(buf[:0], 0, p), p)
}

// Matches returns the rules that match p, last first.
func (d Dtab) Matches(p Path) []Match {
	var buf [inlineHits]hit
	return export(d.hits(buf[:0], 0, p), p)
}

// hits appends to hs the rules that match p, last first. Positions count from
// base.
func (d Dtab) hits(hs []hit, base int, p Path) []hit {
	for i := len(d) - 1; i >= 0; i-- {
		if at, ok := d[i].Prefix.match(p); ok {
			hs = append(hs, hit{rule: &d[i], pos: base + i, at: at})
		}
	}
	return hs
}

// MarshalText returns the canonical text; the error is always nil.
func (d Dtab) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is Parse.
func (d *Dtab) UnmarshalText(text []byte) error {
	e, err := Parse(string(text))
	if err != nil {
		return err
	}
	*d = e
	return nil
}
