package admin

import (
	"net/http"
	"time"

	"github.com/weft-mesh/weft/naming"
)

// Discovery is a namer or an interpreter that can tell what it watches.
type Discovery struct {
	// Name and Kind are told as they are.
	Name, Kind string
	// Watches is called for each request.
	Watches func() []naming.WatchStatus
}

// discoveryInfo is a Discovery as /discovery.json shows it.
type discoveryInfo struct {
	Name    string      `json:"name"`
	Kind    string      `json:"kind"`
	Watches []watchInfo `json:"watches"`
}

// watchInfo is a watch as /discovery.json shows it. Times are RFC 3339, ages are of
// the moment of the request.
type watchInfo struct {
	Watching   string `json:"watching"`
	State      string `json:"state"` // pending, ok, stale (failing, the last answer holds) or failed
	Answer     string `json:"answer,omitempty"`
	Version    string `json:"version,omitempty"`
	Since      string `json:"since"`
	Updated    string `json:"updated,omitempty"`
	AgeMs      int64  `json:"ageMs,omitempty"`
	Error      string `json:"error,omitempty"`
	FailingFor int64  `json:"failingForMs,omitempty"`
	Updates    uint64 `json:"updates"`
	Failures   uint64 `json:"failures"`
}

// discovery shows what is watched, what was last heard of it, how old that is and
// what fails.
func (x *site) discovery(w http.ResponseWriter, _ *http.Request) {
	now := time.Now()
	all := make([]discoveryInfo, 0, len(x.opts.Discovery))
	for _, d := range x.opts.Discovery {
		info := discoveryInfo{Name: d.Name, Kind: d.Kind, Watches: []watchInfo{}}
		for _, s := range d.Watches() {
			info.Watches = append(info.Watches, watchOf(s, now))
		}
		all = append(all, info)
	}
	writeJSON(w, typeJSON, all)
}

func watchOf(s naming.WatchStatus, now time.Time) watchInfo {
	i := watchInfo{
		Watching: s.Watching, State: "ok", Version: s.Version, Since: s.Since.UTC().Format(time.RFC3339Nano),
		Updates: s.Updates, Failures: s.Failures,
	}
	if s.Known {
		i.Answer = s.Answer
		i.Updated = s.Updated.UTC().Format(time.RFC3339Nano)
		i.AgeMs = now.Sub(s.Updated).Milliseconds()
	}
	switch {
	case s.Pending():
		i.State = "pending"
	case s.Err == nil:
	case s.Known:
		i.State = "stale"
	default:
		i.State = "failed"
	}
	if s.Err != nil {
		i.Error = s.Err.Error()
		i.FailingFor = now.Sub(s.ErrSince).Milliseconds()
	}
	return i
}
