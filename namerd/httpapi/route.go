package httpapi

import (
	"net/http"
	"net/url"
	"strings"
)

const base = "/api/1/"

// route calls what answers the request. Paths are matched as they were sent, by
// prefix and in this order, as in namerd 1.7.5.
func (x *exchange) route() {
	api, found := strings.CutPrefix(rawPath(x.r), base)
	if !found {
		x.nothing()
		return
	}
	name, rest, more := strings.Cut(api, "/")
	switch {
	case name == "dtabs" && rest == "":
		x.list()
	case name == "dtabs":
		x.dtab(rest)
	case name == "bind" && rest != "":
		x.ifRead(func() { x.bind(rest) })
	case name == "addr" && rest != "":
		x.ifRead(x.addr)
	case name == "resolve" && rest != "":
		x.ifRead(func() { x.resolve(rest) })
	case name == "delegate":
		x.delegate(rest)
	case name == "bound-names" && !more:
		x.ifRead(x.boundNames)
	case name == "history" && rest != "":
		x.ifRead(func() { x.history(rest) })
	case strings.HasPrefix(name, "delegate"):
		x.delegate("") // that is how the original reads it
	default:
		x.nothing()
	}
}

// nothing answers what there is nothing for.
func (x *exchange) nothing() {
	x.failBare(http.StatusNotFound, "There is no "+x.r.Method+" of "+x.r.URL.Path+" in namerd's API")
}

// ifRead calls f for GET, and for HEAD, of whose answer the server sends the header.
func (x *exchange) ifRead(f func()) {
	if x.r.Method != http.MethodGet && x.r.Method != http.MethodHead {
		x.nothing()
		return
	}
	f()
}

// rawPath returns the path as it was sent. url.URL keeps it only if it is encoded as
// Go would; the request line has it in any case, unless whoever calls the Handler has
// taken something off.
func rawPath(r *http.Request) string {
	raw, _, _ := strings.Cut(r.RequestURI, "?")
	if _, after, absolute := strings.Cut(raw, "://"); absolute && !strings.HasPrefix(raw, "/") {
		_, path, _ := strings.Cut(after, "/")
		raw = "/" + path
	}
	if decoded, err := url.PathUnescape(raw); err == nil && decoded == r.URL.Path {
		return raw
	}
	return r.URL.EscapedPath()
}
