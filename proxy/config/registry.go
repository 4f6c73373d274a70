package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/weft-mesh/weft/dtab"
)

// Registry holds the kinds that a configuration may use. It is an immutable value,
// safe for concurrent use; the zero Registry knows no kind. A custom proxy makes
// its own: NewRegistry(append(standard, mine...)...).
type Registry struct {
	roles map[Role]map[string]Entry
}

// NewRegistry returns the registry of the given entries. A kind that is built takes
// the place of one that is only declared, whichever comes first; two built entries
// of one kind are an error, as is a struct with a malformed tag.
func NewRegistry(entries ...Entry) (Registry, error) {
	r := Registry{roles: map[Role]map[string]Entry{}}
	for _, e := range entries {
		if e.config == nil || e.config.Kind() != reflect.Struct {
			return Registry{}, fmt.Errorf("config: %s %q: its configuration must be a struct, not %v", e.Role, e.Name, e.config)
		}
		if _, err := fields(e.config); err != nil {
			return Registry{}, err
		}
		if _, err := dtab.ParsePath(e.prefix()); e.Role.traits().prefix && err != nil {
			return Registry{}, fmt.Errorf("config: %s %q: default prefix: %w", e.Role, e.Name, err)
		}
		kinds := r.roles[e.Role]
		if kinds == nil {
			kinds = map[string]Entry{}
			r.roles[e.Role] = kinds
		}
		old, taken := kinds[e.Name]
		switch {
		case taken && old.Built() && e.Built():
			return Registry{}, fmt.Errorf("config: conflicting subtypes: two plug-ins claim the %s kind %q", e.Role, e.Name)
		case taken && old.Built():
		default:
			kinds[e.Name] = e
		}
	}
	return r, nil
}

// Lookup returns the entry of a kind.
func (r Registry) Lookup(role Role, kind string) (Entry, bool) {
	e, ok := r.roles[role][kind]
	return e, ok
}

// Kinds returns the names of a role's kinds in alphabetical order.
func (r Registry) Kinds(role Role) []string {
	return slices.Sorted(maps.Keys(r.roles[role]))
}

// Entries returns all entries by role and name, for documentation.
func (r Registry) Entries() []Entry {
	var all []Entry
	for _, role := range slices.Sorted(maps.Keys(r.roles)) {
		for _, kind := range r.Kinds(role) {
			all = append(all, r.roles[role][kind])
		}
	}
	return all
}

// Part returns what a configuration that names kind and sets cfg would hold, for
// defaults and for programs that configure themselves.
func (r Registry) Part(role Role, kind string, cfg any) (Part, error) {
	e, ok := r.Lookup(role, kind)
	if !ok {
		return Part{}, fmt.Errorf("config: %s", r.unknown(role, kind))
	}
	if reflect.TypeOf(cfg) != e.config {
		return Part{}, fmt.Errorf("config: %s %q: want a configuration of type %v, got %T", role, kind, e.config, cfg)
	}
	p := Part{Kind: kind, Config: cfg, entry: e}
	if role.traits().prefix {
		prefix, err := dtab.ParsePath(e.prefix())
		if err != nil {
			return Part{}, fmt.Errorf("config: %s %q: default prefix: %w", role, kind, err)
		}
		p.Prefix, p.DefaultPrefix = prefix, true
	}
	return p, nil
}

// unknown is the message for a kind that the registry does not have.
func (r Registry) unknown(role Role, kind string) string {
	known := r.Kinds(role)
	what := role.String() + " kind"
	if role == RoleProtocol {
		what = "protocol"
	}
	return fmt.Sprintf("unknown %s %q%s; known are %s", what, kind, didYouMean(kind, known), list(known))
}
