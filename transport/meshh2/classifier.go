package meshh2

import "github.com/weft-mesh/weft"

// Classifier decides how an attempt counts: when its response begins if that is
// enough, else when it ends. Its methods are called concurrently and must not
// change what they are given.
type Classifier interface {
	// CanRetry reports whether any outcome of a request with this method can be
	// weft.Retryable. If not, a response need not be withheld until it is classified.
	CanRetry(method string) bool

	// Early classifies by the head of the response, or by err if there is none. ok is
	// false if only the end can tell; with an err it is always true.
	Early(method string, resp *Head, err error) (c weft.Class, ok bool)

	// Late classifies by how the response ended whose head Early did not decide on:
	// by the reset or loss that err says, else regularly, with trailers unless
	// trailer is nil.
	Late(method string, resp, trailer *Head, err error) weft.Class
}
