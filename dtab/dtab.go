package dtab

// Prefix is the pattern of a Dentry: a path whose elements may be the wildcard
// "*". It holds its canonical text; the zero value is "/", which matches every
// path.
type Prefix struct{ s string }

// Dentry is one rewrite rule: paths that Prefix matches become Dst, with what is
// left of the path appended to every leaf.
type Dentry struct {
	Prefix Prefix
	Dst    Tree[Path]
}

// Dtab is an ordered list of rules. Later rules win.
type Dtab []Dentry
