package dtab

// Path is a name: an ordered list of non-empty byte strings. It holds its
// canonical text, so it is comparable and can be a map key; the zero value is
// the empty path, "/".
type Path struct{ s string } // "" for the empty path, else "/a/b" in canonical form

// String returns the canonical text: "/" for the empty path, else "/a/b", with
// every byte of an element escaped as \xhh if any byte of it needs to be.
func (p Path) String() string {
	if p.s == "" {
		return "/"
	}
	return p.s
}
