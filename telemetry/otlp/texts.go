package otlp

import "strings"

// cutQuery divides the target of a request.
func cutQuery(uri string) (path, query string, ok bool) { return strings.Cut(uri, "?") }

// pathOf returns the path of a target, which may be a whole URL.
func pathOf(uri string) string {
	if _, rest, ok := strings.Cut(uri, "://"); ok {
		i := strings.IndexByte(rest, '/')
		if i < 0 {
			return "/"
		}
		uri = rest[i:]
	}
	path, _, _ := cutQuery(uri)
	return path
}

// cutVersion divides "HTTP/1.1" as the conventions want it: http, 1.1, and 2 of HTTP/2.0.
func cutVersion(text string) (name, version string, ok bool) {
	name, version, ok = strings.Cut(text, "/")
	if version == "2.0" {
		version = "2"
	}
	return strings.ToLower(name), version, ok
}
