package meshh2

import "strings"

// clearRequest removes what a caller says in the mesh's own words.
func clearRequest(h *Head) { clearL5d(h) }

// ClearResponse removes what the mesh says about itself from the head of a response
// that goes to outsiders. emptied reports that the response was an error of the
// mesh, whose body must not be passed on either; of a gRPC one the status remains.
func ClearResponse(h *Head) (emptied bool) {
	if !clearL5d(h) {
		return false
	}
	h.Del(nameLength)
	if h.index(nameGRPCStatus, 0) >= 0 {
		h.Del(nameGRPCText) // what it says is what l5d-err said
		return true
	}
	h.Del(nameType)
	return true
}

// ClearTrailer does the same to trailers.
func ClearTrailer(h *Head) {
	if clearL5d(h) {
		h.Del(nameGRPCText)
	}
}

// clearL5d removes the l5d-* fields and reports whether l5d-err was among them.
func clearL5d(h *Head) (hadErr bool) {
	h.removeIf(func(name string) bool {
		hadErr = hadErr || name == nameErr
		return strings.HasPrefix(name, prefixL5d)
	})
	return hadErr
}
