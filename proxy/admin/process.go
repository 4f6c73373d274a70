package admin

import (
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

func ping(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "pong") }

// shutdown answers first: the process may be gone soon after.
func (x *site) shutdown(w http.ResponseWriter, r *http.Request) {
	grace := x.opts.Grace
	if text := r.URL.Query().Get("grace"); text != "" {
		var err error
		if grace, err = parseDuration(text); err != nil {
			writeText(w, http.StatusBadRequest, err.Error())
			return
		}
	}
	w.Header().Set("Connection", "close")
	writeText(w, http.StatusOK, "quitting\n")
	_ = http.NewResponseController(w).Flush() // the answer is small; if it cannot be sent now it is at the end
	x.opts.Log.InfoContext(r.Context(), "admin: shutdown requested", "grace", grace, "remote", r.RemoteAddr)
	x.opts.Shutdown(grace)
}

func (x *site) serverInfo(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, typeJSONUTF8, struct {
		Name      string `json:"name"`
		Version   string `json:"version"`
		Build     string `json:"build"`
		StartTime string `json:"start_time"`
		Uptime    int64  `json:"uptime"` // ms
	}{x.opts.Name, x.opts.Version, x.opts.Build, x.opts.Start.UTC().Format(time.RFC3339), time.Since(x.opts.Start).Milliseconds()})
}

// registryRouter is a router as the registry lists it.
type registryRouter struct {
	Protocol string   `json:"protocol"`
	Dtab     string   `json:"dtab"`
	Servers  []string `json:"servers"`
}

func (x *site) registry(w http.ResponseWriter, _ *http.Request) {
	type library struct {
		Version string `json:"version"`
		Go      string `json:"go"`
		System  string `json:"system"`
	}
	routers := make(map[string]registryRouter, len(x.opts.Routers))
	for _, r := range x.opts.Routers {
		routers[r.Label] = registryRouter{r.Protocol, r.Base.String(), append([]string{}, r.Servers...)}
	}
	modules := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			modules[m.Path] = m.Version
		}
	}
	writeJSON(w, typeJSONUTF8, map[string]any{"registry": map[string]any{
		x.opts.Name: library{x.opts.Version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH},
		"router":    routers,
		"module":    modules,
	}})
}

func (x *site) announcer(w http.ResponseWriter, _ *http.Request) {
	text := "nothing is announced\n"
	if x.opts.Announced != nil {
		if names := x.opts.Announced(); len(names) > 0 {
			text = strings.Join(names, "\n") + "\n"
		}
	}
	writeText(w, http.StatusOK, text)
}

// tracing turns tracing on or off, also by GET as scripts do it, and says how it
// stands.
func (x *site) tracing(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	on, off := q.Get("enable") == "true", q.Get("disable") == "true"
	if on && off {
		writeText(w, http.StatusBadRequest, "admin: tracing cannot be enabled and disabled at once")
		return
	}
	if (on || off) && r.Method != http.MethodHead {
		// A browser lets other sites make it GET; only changes are looked at closely.
		change := r.Clone(r.Context())
		change.Method = http.MethodPost
		if err := x.server.cross.Check(change); err != nil {
			writeText(w, http.StatusForbidden, "admin: "+err.Error())
			return
		}
		x.opts.Tracing.Store(on)
		x.opts.Log.InfoContext(r.Context(), "admin: tracing switched", "enabled", on, "remote", r.RemoteAddr)
	}
	if x.opts.Tracing.Load() {
		writeText(w, http.StatusOK, "Tracing enabled")
		return
	}
	writeText(w, http.StatusOK, "Tracing disabled")
}
