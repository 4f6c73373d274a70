package transformer

import "github.com/weft-mesh/weft/dtab"

// Strip returns the id that a name had before transformers: what begins at the first
// element # or $ of an id that begins with %. An id that begins with anything else
// is returned as it is, and one that has no such element becomes the empty path.
func Strip(id dtab.Path) dtab.Path {
	if id.Elem(0) != "%" {
		return id
	}
	n := 0
	for e := range id.Elems() {
		if e == "#" || e == "$" {
			break
		}
		n++
	}
	return id.Drop(n)
}
