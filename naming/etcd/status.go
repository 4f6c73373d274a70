package etcd

import "github.com/weft-mesh/weft/naming"

// Status is what a Namer knows, for the page that shows its state.
type Status struct {
	Endpoints []string `json:"endpoints"`
	Keys      string   `json:"keys"`            // what the keys of all services begin with
	Connected bool     `json:"connected"`       // etcd answers
	Err       string   `json:"error,omitempty"` // why it does not
	Malformed uint64   `json:"malformed"`       // values that could not be read so far, each version of a key counted once
	Watches   []string `json:"watches"`
}

// Watches implements naming.Reporter: one watch for each service that is in use.
func (n *Namer) Watches() []naming.WatchStatus { return n.sets.Watches() }

// State returns a Status, for the admin page of the namer.
func (n *Namer) State() any {
	st, _ := n.link.state.Load()
	s := Status{Endpoints: n.link.client.Endpoints, Keys: n.keys, Connected: st.well, Malformed: n.malformed.Load(), Watches: []string{}}
	if st.err != nil {
		s.Err = st.err.Error()
	}
	for _, w := range n.Watches() {
		s.Watches = append(s.Watches, w.String())
	}
	return s
}
