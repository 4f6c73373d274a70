package meshh2

import (
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft"
)

// SuccessClass is the l5d-success-class field for a class: the head of the response
// has it if the classifier decided on the head or there is nothing after it, else
// the trailers have it.
func SuccessClass(c weft.Class) hpack.HeaderField {
	v := "0.0"
	if c == weft.Success {
		v = "1.0"
	}
	return hpack.HeaderField{Name: nameSuccess, Value: v}
}

// SetSuccessClass sets the l5d-success-class field; what the endpoint said is
// overwritten.
func SetSuccessClass(h *Head, c weft.Class) {
	f := SuccessClass(c)
	h.Set(f.Name, f.Value)
}
