package config

import (
	"slices"

	"github.com/weft-mesh/weft/dtab"
)

// Linker is the configuration of a proxy. Absent keys are nil, or empty lists;
// methods return the documented defaults.
type Linker struct {
	// Admin is the admin server; nil means its defaults.
	Admin Admin `yaml:"admin"`

	// Routers is at least one.
	Routers []Router `yaml:"routers"`

	// Namers in the order of the document. The last one whose prefix matches wins.
	Namers []Part `yaml:"namers" weft:"role=namer"`

	Telemetry []Part `yaml:"telemetry" weft:"role=telemeter"`
	Usage     Usage  `yaml:"usage"`

	// Warnings is what Load found that does not keep the configuration from being
	// used.
	Warnings Problems `yaml:"-"`

	doc      *Document
	registry Registry
}

// Usage is the block of the original's anonymous usage reports. It is accepted and
// shown; nothing is ever sent.
type Usage struct {
	OrgID   *string `yaml:"orgId"`
	Enabled *bool   `yaml:"enabled"`
}

// KeyHint implements the decoder's hints.
func (*Linker) KeyHint(key string) string {
	switch key {
	case "tracers", "metrics":
		return "use telemetry"
	case "interfaces", "storage":
		return "this is a key of namerd's configuration"
	case "label", "protocol", "servers", "client", "service", "dtab", "identifier", "interpreter":
		return "this is a key of a router: set routers[]." + key
	default:
		return ""
	}
}

// Load parses, decodes and validates the configuration of a proxy. The error is a
// Problems with everything that is wrong, in the order of the document; warnings
// are in the result, and among the problems if there are errors too. The result is
// nil only if the document has a syntax error.
func Load(file string, data []byte, opts Options) (*Linker, error) {
	doc, err := Parse(file, data)
	if err != nil {
		return nil, err
	}
	l := &Linker{doc: doc, registry: opts.Registry}
	problems := doc.decode(l, opts)
	problems = append(problems, l.protocols(opts, doc.problem)...)
	if l.Routers == nil && slices.ContainsFunc(problems, func(p Problem) bool { return p.Path == "routers" || p.Path == "" }) {
		return l, problems.sorted() // there is nothing to apply the rules to
	}
	found := append(problems, l.check(doc.problem)...).sorted()
	errs, warnings := found.Split()
	if l.Warnings = warnings; len(errs) > 0 {
		return l, found
	}
	return l, nil
}

// Check applies the rules that concern more than one key to a configuration that
// was not loaded from a document. The error is a Problems, without positions.
func (l *Linker) Check() error {
	errs, _ := l.check(func(path, message string) Problem {
		return Problem{Path: path, Message: message}
	}).Split()
	return errs.err()
}

// At returns the position of path in the document that the configuration was loaded
// from, 0 without one.
func (l *Linker) At(path string) (line, column int) {
	if l.doc == nil {
		return 0, 0
	}
	return l.doc.At(path)
}

// Registry returns the kinds that the configuration was loaded with.
func (l *Linker) Registry() Registry { return l.registry }

// File returns the name of the document that the configuration was loaded from, ""
// without one.
func (l *Linker) File() string {
	if l.doc == nil {
		return ""
	}
	return l.doc.file
}

// JSON returns the configuration as /config.json shows it: the keys that the
// document sets, and the kinds of objects that name none. A configuration without a
// document is an empty object.
func (l *Linker) JSON() ([]byte, error) {
	if l.doc == nil {
		return []byte("{}"), nil
	}
	return l.doc.JSON()
}

// defaultDstPrefix is the prefix of identified names.
func defaultDstPrefix() dtab.Path { return dtab.MustPath("/svc") }
