package admin

import (
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// interpreterState is what /<router>/interpreter_state/<key>.json shows: the state of
// the dtab with the keys of Linkerd's pages, then all that is watched, as in
// /discovery.json.
type interpreterState struct {
	State struct {
		Running       bool   `json:"running"` // the first watch, that of the dtab or of what leads to it, is well
		LastStartedAt string `json:"lastStartedAt,omitempty"`
		LastUpdatedAt string `json:"lastUpdatedAt,omitempty"`
		Value         string `json:"value"` // the dtab in force
	} `json:"state"`
	Watches []watchInfo `json:"watches"`
}

// InterpreterState returns what the page of an interpreter shows that holds the dtab
// and has the watches.
func InterpreterState(stored dtab.Dtab, watches []naming.WatchStatus) any {
	now := time.Now()
	s := interpreterState{Watches: make([]watchInfo, len(watches))}
	s.State.Value = stored.String()
	for i, w := range watches {
		s.Watches[i] = watchOf(w, now)
	}
	if len(watches) > 0 {
		s.State.Running = watches[0].Err == nil
		s.State.LastStartedAt, s.State.LastUpdatedAt = s.Watches[0].Since, s.Watches[0].Updated
	}
	return s
}
