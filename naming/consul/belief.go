package consul

import "time"

// belief is what a poll takes for true, and so what makes an answer doubtful.
type belief struct {
	stale   bool   // answers may be old, and there need not be a leader
	known   bool   // there is one
	index   uint64 // of it
	nothing bool   // it is that there is nothing
}

// doubt returns what to ask instead of believing the answer to a, if it should not
// be believed.
//
//   - An index that goes backwards is that of a server which has not caught up with
//     its own log after a restart, or of one that follows the leader from afar, or
//     else of a snapshot that was restored. The leader knows.
//   - That there is nothing takes everything away. A server that has just started
//     says so too; and of a token that has lost its rights, the agent's own copy of
//     a service becomes empty, where a query that does not block is told why.
//   - An answer that comes early and says nothing new is how a blocking query ends
//     when a snapshot is restored. To wait for the old index would be to wait in vain.
func (b *belief) doubt(a asking, index uint64, nothing bool, took time.Duration) (asking, bool) {
	switch {
	case a.confirm:
		return a, false
	case index < b.index:
		return asking{confirm: true, consistent: true}, true
	case nothing && !(b.known && b.nothing):
		return asking{confirm: true, consistent: !b.stale}, true
	case a.index != 0 && index == a.index && took < a.wait:
		return asking{}, true
	}
	return a, false
}
