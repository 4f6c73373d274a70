package dtab

import (
	"math"
	"strconv"
	"strings"
)

// maxDepth bounds how deeply parentheses nest, and with that the stack that
// hostile text can make us use.
const maxDepth = 1000

// prefix reads a prefix and the blanks before it.
func (r *parser) prefix() (Prefix, error) {
	r.space()
	s, err := r.elements(true)
	return Prefix{s}, err
}

// elements reads a path, or a prefix if wild, and returns its canonical text.
// That is a part of the input unless there are escapes.
func (r *parser) elements(wild bool) (string, error) {
	start := r.at
	if err := r.eat('/'); err != nil {
		return "", err
	}
	if !r.elementNext(wild) {
		return "", nil
	}
	var b strings.Builder // in use from the first escape on
	for {
		if !r.elementNext(wild) {
			return "", r.fail("label char")
		}
		from := r.at
		escaped, err := r.element(wild)
		if err != nil {
			return "", err
		}
		if escaped && b.Len() == 0 {
			b.WriteString(r.in[start:from])
		} else if b.Len() > 0 {
			b.WriteByte('/')
		}
		if escaped {
			writeShown(&b, unescape(r.in[from:r.at]))
		} else if b.Len() > 0 {
			b.WriteString(r.in[from:r.at])
		}
		if r.take('/') {
			continue
		}
		if b.Len() > 0 {
			return b.String(), nil
		}
		return r.in[start:r.at], nil
	}
}

// elementNext reports whether an element starts here.
func (r *parser) elementNext(wild bool) bool {
	c := r.peek()
	return showable(c) || c == '\\' || wild && c == wildcard[0]
}

// element goes past an element that starts here.
func (r *parser) element(wild bool) (escaped bool, err error) {
	if wild && r.take(wildcard[0]) {
		return false, nil
	}
	for {
		switch {
		case showable(r.peek()):
			r.at++
		case r.take('\\'):
			escaped = true
			if err := r.eat('x'); err != nil {
				return false, err
			}
			for range 2 {
				if !isHex(r.peek()) {
					return false, r.fail("hex char")
				}
				r.at++
			}
		default:
			return escaped, nil
		}
	}
}

// tree reads a tree and the blanks after it.
func (r *parser) tree() (Tree[Path], error) {
	t, err := r.union()
	if err != nil || !r.take('|') {
		return t, err
	}
	alt := AltOf(t)
	for {
		t, err := r.union()
		if err != nil {
			return Tree[Path]{}, err
		}
		alt.Kids = append(alt.Kids, t)
		if !r.take('|') {
			return alt, nil
		}
	}
}

// union reads a union and the blanks after it. The weight of a single branch
// is lost, as in the original.
func (r *parser) union() (Tree[Path], error) {
	t, weight, err := r.weighted()
	if err != nil || !r.take('&') {
		return t, err
	}
	union := UnionOf(t.Weighing(weight))
	for {
		t, weight, err := r.weighted()
		if err != nil {
			return Tree[Path]{}, err
		}
		union.Kids = append(union.Kids, t.Weighing(weight))
		if !r.take('&') {
			return union, nil
		}
	}
}

// weighted reads a branch of a union and the blanks after it.
func (r *parser) weighted() (t Tree[Path], weight float64, err error) {
	r.space()
	weight = 1
	if numeric(r.peek()) {
		if weight, err = r.number(); err != nil {
			return t, 0, err
		}
		r.space()
		if err := r.eat('*'); err != nil {
			return t, 0, err
		}
		r.space()
	}
	t, err = r.simple()
	r.space()
	return t, weight, err
}

func numeric(c byte) bool { return '0' <= c && c <= '9' || c == '.' }

// number reads a weight.
func (r *parser) number() (float64, error) {
	start, dots := r.at, 0
	for ; numeric(r.peek()); r.at++ {
		if r.peek() == '.' {
			if dots++; dots > 1 {
				return 0, r.fail("number char")
			}
		}
	}
	text := r.in[start:r.at]
	if text == "." {
		return 0, r.failOn("weight", "'.'")
	}
	w, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(w, 0) {
		// No share can be taken of an infinite weight.
		return 0, r.failOn("weight below 1.8e308", "a larger one")
	}
	return w, nil
}

// simple reads a term.
func (r *parser) simple() (Tree[Path], error) {
	switch r.peek() {
	case '/':
		s, err := r.elements(false)
		return LeafOf(Path{s}), err
	case '~':
		r.at++
		return Tree[Path]{}, nil
	case '!':
		r.at++
		return Tree[Path]{Op: Fail}, nil
	case '$':
		r.at++
		return Tree[Path]{Op: Empty}, nil
	case '(':
		if r.depth == maxDepth {
			return Tree[Path]{}, r.fail("at most " + strconv.Itoa(maxDepth) + " open parentheses")
		}
		r.at++
		r.depth++
		t, err := r.tree()
		if err != nil {
			return t, err
		}
		r.depth--
		return t, r.eat(')')
	}
	return Tree[Path]{}, r.fail("simple")
}

// dentry reads a rule and the blanks around it.
func (r *parser) dentry() (Dentry, error) {
	x, err := r.prefix()
	if err != nil {
		return Dentry{}, err
	}
	r.space()
	for _, c := range []byte("=>") {
		if err := r.eat(c); err != nil {
			return Dentry{}, err
		}
	}
	t, err := r.tree()
	return Dentry{Prefix: x, Dst: t}, err
}

// dtab reads rules up to where no semicolon follows.
func (r *parser) dtab() (Dtab, error) {
	var d Dtab
	for {
		r.space()
		if r.at == len(r.in) {
			return d, nil
		}
		e, err := r.dentry()
		if err != nil {
			return nil, err
		}
		d = append(d, e)
		if !r.take(';') {
			return d, nil
		}
	}
}
