package http2

import "slices"

// idRing remembers the latest stream ids of some kind, the first limit of them without
// loss. The zero value with a limit is ready.
type idRing struct {
	ids   []uint32
	next  int
	limit int
}

func (r *idRing) add(id uint32) {
	if len(r.ids) < r.limit {
		r.ids = append(r.ids, id)
		return
	}
	r.ids[r.next] = id
	r.next = (r.next + 1) % len(r.ids)
}

func (r *idRing) has(id uint32) bool { return slices.Contains(r.ids, id) }
