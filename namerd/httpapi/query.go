package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// query returns the parameters, or answers what is wrong with them. A semicolon is
// part of a value: dtabs have them.
func (x *exchange) query() (url.Values, bool) {
	q, err := url.ParseQuery(strings.ReplaceAll(x.r.URL.RawQuery, ";", "%3B"))
	if err != nil {
		x.fail(http.StatusBadRequest, "Invalid query: "+err.Error())
		return nil, false
	}
	return q, true
}

// watching reports whether a stream is asked for.
func (x *exchange) watching(q url.Values) bool {
	if x.r.Method == http.MethodHead {
		return false // it would have a header only
	}
	switch strings.ToLower(q.Get("watch")) {
	case "1", "t", "true":
		return true
	}
	return false
}

var errNoPath = errors.New("the parameter path is missing: the name that is asked for, such as /svc/web")

// parsePath reads the parameter path.
func parsePath(q url.Values) (dtab.Path, error) {
	if !q.Has("path") {
		return dtab.Path{}, fmt.Errorf("Invalid path: %w", errNoPath) //nolint:staticcheck // namerd's words
	}
	p, err := dtab.ParsePath(q.Get("path"))
	if err != nil {
		return p, fmt.Errorf("Invalid path: %w", err) //nolint:staticcheck // namerd's words
	}
	return p, nil
}

// parseLocal reads the parameter dtab.
func parseLocal(q url.Values) (dtab.Dtab, error) {
	d, err := dtab.Parse(q.Get("dtab"))
	if err != nil {
		return nil, fmt.Errorf("Invalid dtab: %w", err) //nolint:staticcheck // namerd's words
	}
	return d, nil
}

// named is a request for something about a name.
type named struct {
	path  dtab.Path
	local dtab.Dtab
	watch bool
}

// named reads the parameters, or answers what is wrong with them.
func (x *exchange) named() (n named, ok bool) {
	q, ok := x.query()
	if !ok {
		return n, false
	}
	var err error
	if n.path, err = parsePath(q); err == nil {
		n.local, err = parseLocal(q)
	}
	if err != nil {
		x.fail(http.StatusBadRequest, err.Error())
		return n, false
	}
	n.watch = x.watching(q)
	return n, true
}
