package dtab

import (
	"math"
	"strconv"
	"strings"
)

// ParseTree reads a tree, with blanks and comments allowed around every token.
// Parentheses nest to a depth of 1000. The error is a *SyntaxError.
func ParseTree(s string) (Tree[Path], error) {
	r := parser{in: s}
	t, err := r.tree()
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return Tree[Path]{}, err
	}
	return t, nil
}

// MustTree is ParseTree for text known to be right; it panics on any other.
func MustTree(s string) Tree[Path] { return must(ParseTree(s)) }

// ShowTree returns the canonical text of t, which ParseTree reads back, except
// that weights are rounded to two decimals.
func ShowTree(t Tree[Path]) string { return Show(t, Path.String) }

// Show is ShowTree for any kind of leaf. An Alt or a Union of one branch is
// shown as the branch, and one of none as "", which cannot be parsed.
func Show[T any](t Tree[T], leaf func(T) string) string {
	var b strings.Builder
	show(&b, t, 0, leaf, showWeight)
	return b.String()
}

// ExactTree is ShowTree with all decimals of the weights that two do not give, so that
// ParseTree reads the same tree back: what is to be kept or sent is written so.
func ExactTree(t Tree[Path]) string {
	var b strings.Builder
	show(&b, t, 0, Path.String, exactWeight)
	return b.String()
}

// show writes t, in parentheses if its operator does not bind more tightly than
// the one around it, of which outer is the kind, if any.
func show[T any](b *strings.Builder, t Tree[T], outer Op, leaf func(T) string, weight func(float64) string) {
	for (t.Op == Alt || t.Op == Union) && len(t.Kids) == 1 {
		t = t.Kids[0]
	}
	switch t.Op {
	case Neg:
		b.WriteByte('~')
	case Fail:
		b.WriteByte('!')
	case Empty:
		b.WriteByte('$')
	case Leaf:
		b.WriteString(leaf(t.Value))
	case Alt, Union:
		nested := len(t.Kids) > 0 && (outer == Union || outer == Alt && t.Op == Alt)
		if nested {
			b.WriteByte('(')
		}
		for i, k := range t.Kids {
			switch {
			case i == 0:
			case t.Op == Alt:
				b.WriteString(" | ")
			default:
				b.WriteString(" & ")
			}
			if t.Op == Union && k.Weight != 1 {
				b.WriteString(weight(k.Weight))
				b.WriteByte('*')
			}
			show(b, k, t.Op, leaf, weight)
		}
		if nested {
			b.WriteByte(')')
		}
	}
}

// showWeight rounds the shortest decimal that reads back as w to two places,
// halves away from zero. This is Java's %.2f; Go's rounds the binary value.
func showWeight(w float64) string {
	text := strconv.FormatFloat(w, 'f', -1, 64)
	if math.IsNaN(w) || math.IsInf(w, 0) {
		return text
	}
	whole, frac, _ := strings.Cut(text, ".")
	up := len(frac) > 2 && frac[2] >= '5'
	digits := []byte(whole + (frac + "00")[:2])
	for i := len(digits) - 1; up && i >= 0 && digits[i] != '-'; i-- {
		if up = digits[i] == '9'; up {
			digits[i] = '0'
		} else {
			digits[i]++
		}
	}
	text = string(digits[:len(digits)-2]) + "." + string(digits[len(digits)-2:])
	if up { // every digit was a nine
		if rest, negative := strings.CutPrefix(text, "-"); negative {
			return "-1" + rest
		}
		return "1" + text
	}
	return text
}

// exactWeight is showWeight if that loses nothing.
func exactWeight(w float64) string {
	short := showWeight(w)
	if same, err := strconv.ParseFloat(short, 64); err == nil && same == w {
		return short
	}
	return strconv.FormatFloat(w, 'f', -1, 64)
}
