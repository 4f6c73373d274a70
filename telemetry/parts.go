package telemetry

import "slices"

// Bounds of what Parts cuts.
const (
	// partScopes is how many scopes a part has at its top.
	partScopes = 16

	// partDepth is how far below s there are cuts: at the services, clients and servers
	// of routers, if s is the root.
	partDepth = 3
)

// Part is a piece of a tree: some of the scopes that are directly below one, with what is
// below them.
type Part struct {
	at     *Scope
	path   []string
	list   []*Scope
	groups *group
	first  bool   // of the parts of at
	after  string // what fields of groups come behind, if not first
	rest   bool   // it has all fields of groups that are left
	cut    bool   // what is below the last scope in list is other parts
}

// Parts cuts what is below s into pieces, for those who read a large tree with several
// goroutines: the parts, one after the other, have what All has, in its order, but for what s
// carries itself. What is added to the tree later may be missing.
func (s *Scope) Parts() []Part {
	if s == nil {
		return nil
	}
	return s.parts(s.tree(), nil, 0, nil)
}

// Path returns the elements from the scope that was cut to the one that the part is directly
// below. It must not be written to.
func (p *Part) Path() []string { return p.path }

// Scope returns the scope that the part is directly below, and whether the part is the first
// one of those.
func (p *Part) Scope() (at *Scope, first bool) { return p.at, p.first }

// Each is Scope.Each for what is directly below Scope and in the part. Where below has a part
// of its own, it is nil.
func (p *Part) Each(visit func(name string, m Metric, ok bool, below *Scope)) {
	p.each(p.at.tree(), func(name string, m Metric, ok bool, below *Scope) bool {
		visit(name, m, ok, below)
		return true
	})
}

func (s *Scope) parts(t *Tree, path []string, depth int, parts []Part) []Part {
	list, groups := s.below(t)
	path = slices.Clip(path)
	p := Part{at: s, path: path, groups: groups, first: true}
	end := func(n int, cut bool) {
		p.list, p.cut, list = list[:n], cut, list[n:]
		parts = append(parts, p)
		p.first, p.after = false, p.list[n-1].name
	}
	for n := 0; n < len(list); {
		k := list[n]
		n++
		switch {
		case depth < partDepth && k.wide(t, depth+1):
			end(n, true)
			n = 0
			parts = k.parts(t, append(path, k.name), depth+1, parts)
		case n == partScopes:
			end(n, false)
			n = 0
		}
	}
	// Fields of groups that come behind all scopes have a place that is sure to be there.
	if len(list) > 0 || groups != nil {
		p.list, p.cut, p.rest = list, false, true
		parts = append(parts, p)
	}
	return parts
}

// wide reports whether s is to be cut.
func (s *Scope) wide(t *Tree, depth int) bool {
	list, _ := s.below(t)
	if len(list) > partScopes {
		return true
	}
	if depth < partDepth {
		for _, k := range list {
			if k.wide(t, depth+1) {
				return true
			}
		}
	}
	return false
}
