package daemon

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

// StoragePage is implemented by the configuration of stores that have a page of
// their state, as namerd 1.7.5 has for Kubernetes and Consul.
type StoragePage interface {
	// StoragePage returns the path of the page, such as /storage/dtabs.json.
	StoragePage() string
}

// pageBudget is how long the page may ask the store.
const pageBudget = 2 * time.Second

// storageState is the page.
type storageState struct {
	State struct {
		Running       bool                 `json:"running"`
		LastStartedAt string               `json:"lastStartedAt,omitempty"`
		LastUpdatedAt string               `json:"lastUpdatedAt,omitempty"`
		Error         string               `json:"error,omitempty"`
		Value         map[string]pageEntry `json:"value"`
	} `json:"state"`
	Watch []pageWatch `json:"watch"`
}

type pageEntry struct {
	Version string `json:"version"`
	Dtab    string `json:"dtab"`
}

type pageWatch struct {
	Watching string `json:"watching"`
	Since    string `json:"since"`
	Answer   string `json:"answer,omitempty"`
	Version  string `json:"version,omitempty"`
	Updated  string `json:"updated,omitempty"`
	Error    string `json:"error,omitempty"`
}

// storagePage shows what a store has and what it watches.
func storagePage(store namerd.Store) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), pageBudget)
		defer cancel()
		state := stateOf(ctx, store)
		w.Header().Set("Content-Type", "application/json")
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		_ = enc.Encode(state) // nobody is left to be told
	}
}

func stateOf(ctx context.Context, store namerd.Store) storageState {
	var s storageState
	s.State.Value = map[string]pageEntry{}
	names, err := store.List(ctx)
	for _, ns := range names {
		var v namerd.Stored
		if v, err = store.Get(ctx, ns); err != nil {
			break
		}
		if v.Exists {
			s.State.Value[ns] = pageEntry{base64.StdEncoding.EncodeToString([]byte(v.Version)), v.Dtab.Exact()}
		}
	}
	if err != nil {
		s.State.Error = err.Error()
	}
	s.Watch = []pageWatch{}
	var began, updated time.Time
	for _, x := range store.Watches() {
		s.Watch = append(s.Watch, newPageWatch(x))
		s.State.Running = true
		if began.IsZero() || x.Since.Before(began) {
			began = x.Since
		}
		if x.Updated.After(updated) {
			updated = x.Updated
		}
	}
	s.State.LastStartedAt, s.State.LastUpdatedAt = timeText(began), timeText(updated)
	return s
}

func newPageWatch(x naming.WatchStatus) pageWatch {
	p := pageWatch{Watching: x.Watching, Since: timeText(x.Since), Answer: x.Answer, Version: x.Version, Updated: timeText(x.Updated)}
	if x.Err != nil {
		p.Error = x.Err.Error()
	}
	return p
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
