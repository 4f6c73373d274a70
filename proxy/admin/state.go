package admin

import (
	"context"
	"net/http"
	"slices"
)

// document serves a text that is made elsewhere.
func document(text func() ([]byte, error), contentType string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		body, err := text()
		if err != nil {
			writeText(w, http.StatusInternalServerError, err.Error())
			return
		}
		write(w, http.StatusOK, contentType, body)
	}
}

// stateOf serves what state returns as JSON.
func stateOf(state func() any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, typeJSON, state()) }
}

func (x *site) boundNames(w http.ResponseWriter, r *http.Request) {
	names := []string{}
	if x.opts.BoundNames != nil {
		ctx, cancel := context.WithTimeout(r.Context(), x.opts.DelegateBudget)
		defer cancel()
		names = append(names, x.opts.BoundNames(ctx)...)
	}
	slices.Sort(names)
	writeJSON(w, typeJSON, slices.Compact(names))
}

// clientStatus is a client as /client_state.json shows it.
type clientStatus struct {
	State     string   `json:"state"`
	Addresses []string `json:"addresses"`
}

// clientState shows the clients of all routers, or of the one that the query
// names. Routers that have the same client show as one: the state of one that is
// bound, and the addresses of all.
func (x *site) clientState(w http.ResponseWriter, r *http.Request) {
	all := map[string]clientStatus{}
	only := r.URL.Query().Get("router")
	for i := range x.opts.Routers {
		router := &x.opts.Routers[i]
		if router.Clients == nil || only != "" && only != router.Label {
			continue
		}
		for _, c := range router.Clients() {
			id := c.ID.String()
			now, twice := all[id]
			if !twice || c.State == "bound" {
				now.State = c.State
			}
			now.Addresses = append(append([]string{}, now.Addresses...), c.Addresses...)
			slices.Sort(now.Addresses)
			now.Addresses = slices.Compact(now.Addresses)
			all[id] = now
		}
	}
	writeJSON(w, typeJSON, all)
}
