package dtab

// Dentry is one rewrite rule: paths that Prefix matches become Dst, with what is
// left of the path appended to every leaf. The zero value, /=>~, matches all
// paths and names nothing.
type Dentry struct {
	Prefix Prefix
	Dst    Tree[Path]
}

// ParseDentry reads one rule, without a semicolon. The error is a *SyntaxError.
func ParseDentry(s string) (Dentry, error) {
	r := parser{in: s}
	e, err := r.dentry()
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return Dentry{}, err
	}
	return e, nil
}

// Nop returns the rule that stands for "no rule" where output wants one, as in
// explanations: /\x2f=>~. No path that comes from a request matches it.
func Nop() Dentry { return Dentry{Prefix: Prefix{`/\x2f`}} }

// String returns the canonical text.
func (e Dentry) String() string { return e.Prefix.String() + "=>" + ShowTree(e.Dst) }

// Exact is String with all decimals of the weights; see ExactTree.
func (e Dentry) Exact() string { return e.Prefix.String() + "=>" + ExactTree(e.Dst) }

// Equal reports whether e and f have the same prefix and equal destinations.
func (e Dentry) Equal(f Dentry) bool { return e.Prefix == f.Prefix && Equal(e.Dst, f.Dst) }
