package admin

import (
	"fmt"
	"net/http"
	"regexp"
)

// Security says which pages are served, by path alone. A page whose path the
// blacklist matches is not; another one is if its category is served or the
// whitelist matches its path. What is not served is answered as if it did not
// exist. The zero Security serves everything.
type Security struct {
	// NoUI closes the dashboard and what it needs, NoControl closes /admin/shutdown
	// and /logging.json, NoDiagnostics closes all other pages: the opposites of
	// Linkerd's uiEnabled, controlEnabled and diagnosticsEnabled.
	NoUI, NoControl, NoDiagnostics bool

	// PathWhitelist and PathBlacklist are regular expressions (RE2 syntax), each of
	// which has to match the whole path.
	PathWhitelist, PathBlacklist []string
}

// uiPaths and controlPaths are Linkerd's categories, and what the pages of those paths
// need here. What neither matches is diagnostics, so that a new page has to be let out
// on purpose.
const (
	uiPaths = `/|/files/.*|/admin/files/.*|/config\.json|/metrics\.json|/admin/metrics\.json|/admin/metrics|` +
		`/delegator|/delegator\.json|/explain\.json|/namespaces\.json|/logging|/help`
	controlPaths = `/admin/shutdown|/logging\.json|/namespace/preview\.json|/namespace/save\.json|/namespace/delete\.json`
)

// Handler returns a handler that passes to next what s serves and answers 404 to
// the rest. The error says which expression is none.
func (s Security) Handler(next http.Handler) (http.Handler, error) {
	f, err := s.filter(next)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (s Security) filter(next http.Handler) (*filter, error) {
	f := &filter{noUI: s.NoUI, noControl: s.NoControl, noDiagnostics: s.NoDiagnostics, next: next}
	var err error
	if f.white, err = whole("pathWhitelist", s.PathWhitelist); err != nil {
		return nil, err
	}
	if f.black, err = whole("pathBlacklist", s.PathBlacklist); err != nil {
		return nil, err
	}
	if f.ui, err = whole("ui", []string{uiPaths}); err != nil {
		return nil, err
	}
	if f.control, err = whole("control", []string{controlPaths}); err != nil {
		return nil, err
	}
	return f, nil
}

// filter is a Security with its expressions compiled.
type filter struct {
	noUI, noControl, noDiagnostics bool
	ui, control, white, black      []*regexp.Regexp
	next                           http.Handler
}

func (f *filter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !f.serves(r.URL.Path) {
		notFound(w, r)
		return
	}
	f.next.ServeHTTP(w, r)
}

func (f *filter) serves(path string) bool {
	if matchAny(f.black, path) {
		return false
	}
	closed := f.noDiagnostics
	switch {
	case matchAny(f.ui, path):
		closed = f.noUI
	case matchAny(f.control, path):
		closed = f.noControl
	}
	return !closed || matchAny(f.white, path)
}

func matchAny(exprs []*regexp.Regexp, path string) bool {
	for _, e := range exprs {
		if e.MatchString(path) {
			return true
		}
	}
	return false
}

// whole compiles expressions so that they match whole texts.
func whole(list string, exprs []string) ([]*regexp.Regexp, error) {
	compiled := make([]*regexp.Regexp, 0, len(exprs))
	for _, e := range exprs {
		// The expression by itself first: it must not close the group around it.
		if _, err := regexp.Compile(e); err != nil {
			return nil, fmt.Errorf("admin: %s: %w", list, err)
		}
		c, err := regexp.Compile(`\A(?:` + e + `)\z`)
		if err != nil {
			return nil, fmt.Errorf("admin: %s: %w", list, err)
		}
		compiled = append(compiled, c)
	}
	return compiled, nil
}
