package admin

import (
	"net/http"
	"net/url"
)

// loggingJSON shows the levels, or sets one. What is unknown changes nothing and
// is no error, as scripts expect.
func (x *site) loggingJSON(w http.ResponseWriter, r *http.Request) {
	if r.Method != post {
		writeJSON(w, typeJSON, x.opts.Levels.All())
		return
	}
	body, err := readBody(w, r)
	if err != nil {
		writeText(w, http.StatusBadRequest, "admin: logging: "+err.Error())
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		writeText(w, http.StatusBadRequest, "admin: logging: "+err.Error())
		return
	}
	query := r.URL.Query()
	param := func(key string) (string, bool) {
		if form.Has(key) {
			return form.Get(key), true
		}
		return query.Get(key), query.Has(key)
	}
	logger, named := param("logger")
	name, given := param("level")
	if !named || !given {
		writeText(w, http.StatusBadRequest, "admin: logging: the parameters logger and level are required")
		return
	}
	if level, ok := ParseLevel(name); ok && x.opts.Levels.Set(logger, level) {
		x.opts.Log.InfoContext(r.Context(), "admin: log level set", "of", logger, "level", LevelName(level), "remote", r.RemoteAddr)
	}
	w.WriteHeader(http.StatusOK)
}
