package meshh2

import "strings"

// originForm turns a request whose :path is an absolute URI, as a forward proxy
// gets it, into one with :authority and a relative :path. The path and query stay
// byte for byte; a fragment, which is none of the server's business, does too.
func originForm(req *Head) {
	i := req.index(namePath, 0)
	if i < 0 {
		return
	}
	path := req.Fields[i].Value
	if path == "" || path[0] == '/' {
		return
	}
	scheme, rest, ok := strings.Cut(path, "://")
	if !ok || scheme == "" || strings.ContainsAny(scheme, "/?#") {
		return
	}
	authority, path := rest, "/"
	if j := strings.IndexAny(rest, "/?#"); j >= 0 {
		authority, path = rest[:j], rest[j:]
		if path[0] != '/' {
			path = "/" + path
		}
	}
	if j := strings.LastIndexByte(authority, '@'); j >= 0 {
		authority = authority[j+1:] // user information is not part of an authority here (RFC 9113, 8.3.1)
	}
	if authority == "" {
		return
	}
	req.Fields[i].Value = path
	req.Set(nameAuthority, authority)
}
