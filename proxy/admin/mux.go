package admin

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// mux leads paths to handlers: a handler whose path ends in a slash, other than
// the root, takes what is below it, the longest such path wins, and the others
// take their own path only. Paths are not cleaned: what the security filter has
// seen is what is looked up.
type mux struct {
	handlers map[string]http.Handler
}

// handle adds a handler. The error says that the path is taken or is none.
func (m *mux) handle(path string, h http.Handler) error {
	if !strings.HasPrefix(path, "/") {
		return fmt.Errorf("admin: path %q: it has to begin with a slash", path)
	}
	if _, taken := m.handlers[path]; taken {
		return fmt.Errorf("admin: path %q: it is taken by another page", path)
	}
	m.handlers[path] = h
	return nil
}

func (m *mux) find(path string) http.Handler {
	if h, ok := m.handlers[path]; ok {
		return h
	}
	for {
		slash := strings.LastIndexByte(path, '/')
		if slash <= 0 {
			return nil
		}
		if h, ok := m.handlers[path[:slash+1]]; ok {
			return h
		}
		path = path[:slash]
	}
}

func (m *mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := m.find(r.URL.Path)
	if h == nil {
		notFound(w, r)
		return
	}
	h.ServeHTTP(w, r)
}

// index is the handler that lists the paths, sorted.
func (m *mux) index(w http.ResponseWriter, _ *http.Request) {
	writeText(w, http.StatusOK, strings.Join(slices.Sorted(maps.Keys(m.handlers)), "\n")+"\n")
}

// methods returns a handler for the given methods only; GET brings HEAD along.
func methods(h http.HandlerFunc, allowed ...string) http.Handler {
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	allow := strings.Join(allowed, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(allowed, r.Method) {
			w.Header().Set("Allow", allow)
			writeText(w, http.StatusMethodNotAllowed, "Method Not Allowed")
			return
		}
		h(w, r)
	})
}
