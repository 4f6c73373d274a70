package mesh

import "sync"

// maxSequences is how many sequences of revisions are remembered. A store has one, and
// a namerd whose store is in its memory has another one with every life.
const maxSequences = 16

// revisions are the newest ones that were seen, by sequence. The zero value has seen
// none. It is safe for concurrent use.
type revisions struct {
	mu     sync.Mutex
	newest map[string]uint64
	order  []string // the sequence that came last, last
}

// note notes a revision and returns the newest one of its sequence.
func (r *revisions) note(of string, n uint64) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	newest, known := r.newest[of]
	if !known {
		if r.newest == nil {
			r.newest = map[string]uint64{}
		}
		if r.order = append(r.order, of); len(r.order) > maxSequences {
			delete(r.newest, r.order[0])
			r.order = r.order[1:]
		}
	}
	newest = max(newest, n)
	r.newest[of] = newest
	return newest
}
