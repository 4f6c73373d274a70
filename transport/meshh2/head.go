package meshh2

import (
	"iter"
	"slices"
	"strings"

	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft/propagation"
)

// Head is a block of header fields, of a request, a response or a trailer:
// pseudo-headers first, names in lower case, repeated fields each for itself and in
// the order in which they came.
//
// The zero Head is an empty block. It is a propagation.Carrier; names that are
// passed to its methods may be spelled in any case and become lower case. It is not
// for concurrent use, not even for reading, unless Fields alone is read.
type Head struct {
	Fields []hpack.HeaderField

	one [1]string // what Values returns where there is one
}

// Load replaces the content by a copy of fields. Memory is reused.
func (h *Head) Load(fields []hpack.HeaderField) { h.Fields = append(h.Fields[:0], fields...) }

// Len returns the number of fields.
func (h *Head) Len() int { return len(h.Fields) }

// Get returns the first value of a name, and "" if there is none.
func (h *Head) Get(name string) string {
	v, _ := h.Lookup(name)
	return v
}

// Lookup is Get that tells an empty value from none.
func (h *Head) Lookup(name string) (value string, ok bool) {
	if i := h.index(lower(name), 0); i >= 0 {
		return h.Fields[i].Value, true
	}
	return "", false
}

// Values returns all values of a name in order. The slice is valid until the next
// call of Values.
func (h *Head) Values(name string) []string {
	name = lower(name)
	i := h.index(name, 0)
	if i < 0 {
		return nil
	}
	h.one[0] = h.Fields[i].Value
	values := h.one[:1:1] // a second one goes elsewhere
	for i = h.index(name, i+1); i >= 0; i = h.index(name, i+1) {
		values = append(values, h.Fields[i].Value)
	}
	return values
}

// All yields the fields in order. The block must not be changed meanwhile.
func (h *Head) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for i := range h.Fields {
			if !yield(h.Fields[i].Name, h.Fields[i].Value) {
				return
			}
		}
	}
}

// Set makes value the only one of its name. It takes the place of the first one
// there was, or comes last; a new pseudo-header comes after the other ones.
func (h *Head) Set(name, value string) {
	name = lower(name)
	i := h.index(name, 0)
	if i < 0 {
		h.add(name, value)
		return
	}
	h.Fields[i].Value = value
	if j := h.index(name, i+1); j >= 0 {
		h.remove(name, j)
	}
}

// Add appends a value to those of its name; a pseudo-header comes after the other
// ones.
func (h *Head) Add(name, value string) { h.add(lower(name), value) }

// Del removes every value of a name.
func (h *Head) Del(name string) {
	name = lower(name)
	if i := h.index(name, 0); i >= 0 {
		h.remove(name, i)
	}
}

func (h *Head) add(name, value string) {
	f := hpack.HeaderField{Name: name, Value: value}
	if !f.IsPseudo() {
		h.Fields = append(h.Fields, f)
		return
	}
	i := 0
	for i < len(h.Fields) && h.Fields[i].IsPseudo() {
		i++
	}
	h.Fields = slices.Insert(h.Fields, i, f)
}

// index returns the place of the first field of that name from i on, or -1.
func (h *Head) index(name string, i int) int {
	for ; i < len(h.Fields); i++ {
		if h.Fields[i].Name == name {
			return i
		}
	}
	return -1
}

// remove takes out the fields of that name from i on.
func (h *Head) remove(name string, i int) {
	h.removeFrom(i, func(have string) bool { return have == name })
}

// removeIf takes out the fields whose names are gone.
func (h *Head) removeIf(gone func(name string) bool) { h.removeFrom(0, gone) }

func (h *Head) removeFrom(i int, gone func(name string) bool) {
	for i < len(h.Fields) && !gone(h.Fields[i].Name) {
		i++ // most often nothing has to be moved
	}
	kept := h.Fields[:i]
	for ; i < len(h.Fields); i++ {
		if !gone(h.Fields[i].Name) {
			kept = append(kept, h.Fields[i])
		}
	}
	clear(h.Fields[len(kept):]) // memory that is kept must not keep their text alive
	h.Fields = kept
}

// lower returns a name in lower case. The spellings of package propagation, which
// are looked up for every request, cost nothing.
func lower(name string) string {
	if len(name) == 0 || name[0] == ':' || name[0] >= 'a' {
		if !hasUpper(name) {
			return name
		}
		return strings.ToLower(name)
	}
	return propagation.LowerName(name)
}

func hasUpper(s string) bool {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			return true
		}
	}
	return false
}
