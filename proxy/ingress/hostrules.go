package ingress

import (
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// target is the name of a backend; order is the place of its rule among all.
type target struct {
	name  dtab.Path
	order int
}

// regexRule is a rule whose path is a pattern.
type regexRule struct {
	pattern
	target
}

// hostRules are the rules of one host.
type hostRules struct {
	exact    map[string]target
	prefixes map[string]target // without slashes at their ends; the longest is found first
	regex    []regexRule       // in order
}

func newHostRules() *hostRules {
	return &hostRules{exact: map[string]target{}, prefixes: map[string]target{}}
}

// first keeps the earlier of two rules for the same.
func first(m map[string]target, path string, t target) {
	if _, taken := m[path]; !taken {
		m[path] = t
	}
}

// typed returns the best Exact or Prefix rule for a path and the length of the rule's
// path, which for Exact is more than any other rule's.
func (h *hostRules) typed(path string) (t target, length int, ok bool) {
	if t, ok = h.exact[path]; ok {
		return t, len(path) + 1, true
	}
	if len(h.prefixes) == 0 {
		return target{}, 0, false
	}
	// The prefixes of a path, element by element, from the longest to none.
	for at := path; ; {
		if t, ok = h.prefixes[at]; ok {
			return t, len(at), true
		}
		i := strings.LastIndexByte(at, '/')
		if i < 0 {
			return target{}, 0, false
		}
		at = at[:i]
	}
}

// pattern returns the first pattern rule for a path that comes before limit.
func (h *hostRules) pattern(path string, limit int) (regexRule, bool) {
	for _, r := range h.regex {
		if r.order >= limit {
			break
		}
		if r.matches(path) {
			return r, true
		}
	}
	return regexRule{}, false
}
