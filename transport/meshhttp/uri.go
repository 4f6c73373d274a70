package meshhttp

import (
	"net/http"
	"net/url"
	"strings"
)

// clientForm fills in what http.RoundTripper lets a caller leave out, and takes out
// what it must ignore: a RequestURI that is left from a request that was received
// says nothing of where this one goes.
func clientForm(req *http.Request) *http.Request {
	if req.RequestURI == "" && req.Host != "" && req.Method != "" && req.ProtoMajor != 0 {
		return req
	}
	out := *req
	out.RequestURI = ""
	if out.Host == "" {
		out.Host = out.URL.Host
	}
	if out.Method == "" {
		out.Method = http.MethodGet
	}
	if out.ProtoMajor == 0 {
		out.Proto, out.ProtoMajor, out.ProtoMinor = "HTTP/1.1", 1, 1
	}
	return &out
}

// originForm turns a request that a server received in absolute form, as forward
// proxies do, into one with Host and a relative URI. The path and query stay byte
// for byte.
func originForm(req *http.Request) *http.Request {
	if req.Method == http.MethodConnect || !strings.Contains(req.RequestURI, "://") || strings.HasPrefix(req.RequestURI, "/") {
		return req
	}
	u, err := url.Parse(req.RequestURI)
	if err != nil || u.Host == "" {
		return req
	}
	out := *req
	_, rest, _ := strings.Cut(req.RequestURI, "://")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[i:]
	} else {
		rest = "/"
	}
	if rest[0] != '/' {
		rest = "/" + rest
	}
	out.Host, out.RequestURI = u.Host, rest
	out.URL = &url.URL{Path: rest}
	return &out
}

// requestURI returns the path and query as the caller sent them. A server request
// has them in RequestURI, a client request does not have one.
func requestURI(req *http.Request) string {
	if strings.HasPrefix(req.RequestURI, "/") {
		return req.RequestURI
	}
	return req.URL.RequestURI()
}

// outgoingURL returns the URL whose request line says what the caller's said, or
// uri if the identifier rewrote it.
func outgoingURL(req *http.Request, uri string) url.URL {
	if uri == "" {
		if !strings.HasPrefix(req.RequestURI, "/") {
			return *req.URL
		}
		uri = req.RequestURI
	}
	if u := *req.URL; u.Opaque == "" && u.RequestURI() == uri {
		return u
	}
	path, query, hasQuery := strings.Cut(uri, "?")
	u := url.URL{Path: path, RawQuery: query, ForceQuery: hasQuery && query == ""}
	if decoded, err := url.PathUnescape(path); err == nil {
		u.Path, u.RawPath = decoded, path
	}
	// What package url would spell in another way is opaque to it. A path that begins
	// with two slashes cannot be, and keeps its meaning.
	if u.EscapedPath() != path && !strings.HasPrefix(path, "//") {
		u.Opaque = path
	}
	return u
}
