package config

import (
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v3"

	"github.com/weft-mesh/weft/dtab"
)

// Part is a plug-in as configured: its kind and the kind's own keys. The zero Part
// is one that is not configured.
type Part struct {
	Kind string

	// Prefix is that of a namer, transformer or announcer, without "/#" or "/%": the
	// configured one or, if DefaultPrefix is set, the kind's default.
	Prefix        dtab.Path
	DefaultPrefix bool

	// Transformers are those of a namer or interpreter, in the order in which they
	// are applied.
	Transformers []Part

	// Config is the kind's configuration, a value of the type that the kind was
	// registered with.
	Config any

	entry Entry
	path  string
}

// IsZero reports whether the part is not configured.
func (p *Part) IsZero() bool { return p.Kind == "" }

// Path returns the part's place in the configuration, such as "namers[0]".
func (p *Part) Path() string { return p.path }

// Build makes what the part configures. T is the type that kinds of its role make
// and E the type that they are made from, both as in Define.
func Build[T, E any](p Part, env E) (T, error) {
	var none T
	if p.entry.build == nil {
		if p.IsZero() {
			return none, fmt.Errorf("config: nothing is configured that makes a %v", reflect.TypeFor[T]())
		}
		return none, fmt.Errorf("config: %s: %s", p.path, p.entry.notBuilt())
	}
	v, err := p.entry.build(p.Config, env)
	if err != nil {
		return none, fmt.Errorf("config: %s: %s %s: %w", p.path, p.entry.Role, p.Kind, err)
	}
	made, ok := v.(T)
	if !ok {
		return none, fmt.Errorf("config: %s: %s %s makes a %T, want a %v", p.path, p.entry.Role, p.Kind, v, reflect.TypeFor[T]())
	}
	return made, nil
}

// The keys that parts have in common, by role.
type (
	kindKey struct {
		Kind string `yaml:"kind"`
	}
	prefixKey struct {
		Prefix *dtab.Path `yaml:"prefix"`
	}
	experimentalKey struct {
		Experimental bool `yaml:"experimental"`
	}
	transformersKey struct {
		Transformers []Part `yaml:"transformers" weft:"role=transformer"`
	}
)

// decodeNode reads a part: the kind first, since it says which other keys there are.
func (p *Part) decodeNode(d *decoder, n *yaml.Node, path string, f field) {
	role := f.role.in(d.variant)
	if n.Kind != yaml.MappingNode {
		d.wrongType(n, path, "an object with a kind")
		return
	}
	traits := role.traits()
	kind, at, ok := d.kindOf(n, path, role, traits.defaultKind)
	if !ok {
		return
	}
	entry, ok := d.opts.Registry.Lookup(role, kind)
	if !ok {
		d.report(at, join(path, kindKeyName), d.opts.Registry.unknown(role, kind))
		return
	}

	cfg := reflect.New(entry.config).Elem()
	var prefix prefixKey
	var experimental experimentalKey
	var transformers transformersKey
	targets := []reflect.Value{reflect.ValueOf(&kindKey{}).Elem(), cfg}
	if traits.prefix {
		targets = append(targets, reflect.ValueOf(&prefix).Elem())
	}
	if traits.experimental {
		targets = append(targets, reflect.ValueOf(&experimental).Elem())
	}
	if traits.transformers {
		targets = append(targets, reflect.ValueOf(&transformers).Elem())
	}
	d.object(n, path, targets...)

	*p = Part{Kind: kind, Transformers: transformers.Transformers, Config: cfg.Interface(), entry: entry, path: path}
	d.prefix(p, n, traits, prefix.Prefix)
	name := kind
	if role == RoleNamer {
		name = p.Prefix.String()
	}
	if entry.Experimental && !experimental.Experimental && entry.Gone == "" {
		d.report(at, path, entry.needsFlag(name))
	}
	if !entry.Built() && !d.opts.AllowNotBuilt {
		d.report(at, join(path, kindKeyName), entry.notBuilt())
	}
}

// prefix fills in the part's prefix.
func (d *decoder) prefix(p *Part, n *yaml.Node, traits roleTraits, set *dtab.Path) {
	switch {
	case !traits.prefix:
	case set != nil:
		p.Prefix = *set
	case p.entry.PrefixRequired:
		if valueOf(n, "prefix") == nil {
			d.report(n, p.path, fmt.Sprintf("The 'prefix' property is required for the %s %s.", p.Kind, p.entry.Role))
		}
	default:
		prefix, err := dtab.ParsePath(p.entry.prefix())
		if err != nil {
			d.report(n, p.path, err.Error())
		}
		p.Prefix, p.DefaultPrefix = prefix, true
	}
}

// kindOf returns the kind that n names and the node to blame for it; it is not ok
// when it was reported as missing or malformed.
func (d *decoder) kindOf(n *yaml.Node, path string, role Role, defaultKind string) (kind string, at *yaml.Node, ok bool) {
	v := valueOf(n, kindKeyName)
	switch {
	case v == nil && defaultKind != "":
		d.doc.implied[n] = defaultKind
		return defaultKind, n, true
	case v == nil:
		d.report(n, path, fmt.Sprintf("missing key %q; known %s kinds are %s", kindKeyName, role, list(d.opts.Registry.Kinds(role))))
		return "", n, false
	case v.Kind != yaml.ScalarNode:
		d.wrongType(v, join(path, kindKeyName), "the name of a kind")
		return "", n, false
	}
	return v.Value, v, true
}

// valueOf returns what key is set to in an object, nil if it is not set.
func valueOf(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key && !isNull(n.Content[i+1]) {
			return n.Content[i+1]
		}
	}
	return nil
}
