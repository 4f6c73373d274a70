package ingress

import (
	"fmt"
	"math"
	"strings"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/k8s"
)

// matcher is a table of ingresses, prepared for look-ups. It is immutable.
type matcher struct {
	hosts     map[string]*hostRules // by exact host
	wildcards map[string]*hostRules // by what follows "*."
	any       *hostRules            // without a host

	def    dtab.Path // the default backend
	hasDef bool

	certs     map[string][]secret // by host or, with the asterisk, wildcard
	ownNames  []secret            // whose certificates say themselves which hosts they are for
	patterns  map[string]pattern  // to be used again by the next matcher
	ingresses int                 // how many count
}

// secret names a TLS secret.
type secret struct{ namespace, name string }

// problem is a rule that cannot match, and why.
type problem struct {
	ingress *k8s.Ingress
	text    string
}

// newMatcher compiles a table. Patterns that previous has are not compiled again.
func newMatcher(c Config, t k8s.Table, previous *matcher) (*matcher, []problem) {
	m := &matcher{
		hosts: map[string]*hostRules{}, wildcards: map[string]*hostRules{}, any: newHostRules(),
		certs: map[string][]secret{}, patterns: map[string]pattern{},
	}
	var problems []problem
	order, def := 0, t.DefaultClass()
	for n := range t.Ingresses {
		i := &t.Ingresses[n]
		if !counts(i, c.Class, def) {
			continue
		}
		m.ingresses++
		m.addTLS(i)
		if b := i.DefaultBackend; b != nil && !m.hasDef && !c.IgnoreDefaultBackends {
			if name, err := nameOf(c.Prefix, *b); err != nil {
				problems = append(problems, problem{i, fmt.Sprintf("the default backend: %v", err)})
			} else {
				m.def, m.hasDef = name, true
			}
		}
		for _, r := range i.Rules {
			name, err := nameOf(c.Prefix, r.Backend)
			if err == nil {
				err = m.add(r, target{name, order}, previous)
			}
			if err != nil {
				problems = append(problems, problem{i, fmt.Sprintf("host %q, path %q: %v", r.Host, r.Path, err)})
			}
			order++
		}
	}
	return m, problems
}

// counts reports whether an ingress is for the class.
func counts(i *k8s.Ingress, class, defaultClass string) bool {
	if i.HasClassAnnotation || i.ClassName != "" {
		return i.Class() == class
	}
	return defaultClass == "" || defaultClass == class
}

func nameOf(prefix dtab.Path, b k8s.Backend) (dtab.Path, error) {
	return prefix.Append(b.Namespace, b.Port(), b.Service)
}

func (m *matcher) add(r k8s.Rule, t target, previous *matcher) error {
	h := m.of(r.Host)
	switch {
	case r.PathType == k8s.Exact && r.Path != "":
		first(h.exact, r.Path, t)
	case r.PathType == k8s.Prefix:
		first(h.prefixes, strings.TrimRight(r.Path, "/"), t)
	default:
		p, ok := m.patterns[r.Path]
		if !ok && previous != nil {
			p, ok = previous.patterns[r.Path]
		}
		if !ok {
			var err error
			if p, err = compile(r.Path); err != nil {
				return err
			}
		}
		m.patterns[r.Path] = p
		h.regex = append(h.regex, regexRule{p, t})
	}
	return nil
}

// of returns the rules of a rule's host, made if there were none.
func (m *matcher) of(host string) *hostRules {
	if host == "" {
		return m.any
	}
	at, key := m.hosts, strings.ToLower(strings.TrimSuffix(host, "."))
	if parent, ok := wildcardOf(key); ok {
		at, key = m.wildcards, parent
	}
	h := at[key]
	if h == nil {
		h = newHostRules()
		at[key] = h
	}
	return h
}

// match returns the name for a host, as hostOf returns it, and a path.
func (m *matcher) match(host, path string) (dtab.Path, bool) {
	levels := [3]*hostRules{m.hosts[host], m.wildcards[parentOf(host)], m.any}
	var typed target
	var regex regexRule
	typedLevel, regexLevel, length := len(levels), len(levels), 0
	limit := math.MaxInt
	for l, h := range levels {
		if h == nil {
			continue
		}
		if typedLevel == len(levels) {
			if t, n, ok := h.typed(path); ok {
				typed, length, typedLevel = t, n, l
			}
		}
		if r, ok := h.pattern(path, limit); ok {
			regex, regexLevel, limit = r, l, r.order
		}
	}
	switch {
	case typedLevel < regexLevel:
		return typed.name, true
	case regexLevel < typedLevel:
		return regex.name, true
	case typedLevel == len(levels):
		return m.def, m.hasDef
	case length > len(regex.literal):
		return typed.name, true
	default:
		return regex.name, true
	}
}

// addTLS notes which secrets an ingress names for which hosts.
func (m *matcher) addTLS(i *k8s.Ingress) {
	for _, t := range i.TLS {
		if t.Secret == "" {
			continue
		}
		s := secret{i.Namespace, t.Secret}
		if len(t.Hosts) == 0 {
			m.ownNames = append(m.ownNames, s)
		}
		for _, h := range t.Hosts {
			h = strings.ToLower(strings.TrimSuffix(h, "."))
			m.certs[h] = append(m.certs[h], s)
		}
	}
}
