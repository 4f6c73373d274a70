package ingress

import "strings"

// hostOf returns the host of a Host header or :authority, without port and final dot,
// in lower case. It allocates only to change the case.
func hostOf(authority string) string {
	switch i := strings.LastIndexByte(authority, ':'); {
	case strings.HasPrefix(authority, "["):
		if end := strings.IndexByte(authority, ']'); end >= 0 {
			authority = authority[1:end]
		}
	case i >= 0 && strings.IndexByte(authority, ':') == i:
		authority = authority[:i] // of two colons neither is before a port
	}
	return strings.ToLower(strings.TrimSuffix(authority, "."))
}

// parentOf returns what comes after the first label of a host, for wildcards. It is
// empty if there is nothing.
func parentOf(host string) string {
	label, parent, _ := strings.Cut(host, ".")
	if label == "" {
		return ""
	}
	return parent
}

// wildcardOf returns the parent of a rule's host *.parent.
func wildcardOf(ruleHost string) (parent string, ok bool) {
	return strings.CutPrefix(ruleHost, "*.")
}
