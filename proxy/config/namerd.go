package config

import (
	"fmt"
	"net/netip"
	"slices"
)

// Namerd is the configuration of a control plane. Absent keys are nil, or empty
// lists; methods return the documented defaults.
type Namerd struct {
	// Admin is the admin server. Its port is 9991 unless it is set: see AdminAddr.
	Admin Admin `yaml:"admin"`

	Storage Part `yaml:"storage" weft:"role=storage"`

	// Namers in the order of the document. No prefix may begin with another one.
	Namers []Part `yaml:"namers" weft:"role=namer"`

	// Interfaces is at least one.
	Interfaces []Part `yaml:"interfaces" weft:"role=interface"`

	Telemetry []Part `yaml:"telemetry" weft:"role=telemeter"`

	// Warnings is what LoadNamerd found that does not keep the configuration from
	// being used.
	Warnings Problems `yaml:"-"`

	doc *Document
}

// AdminAddr returns the address that the admin server listens on.
func (n *Namerd) AdminAddr() netip.AddrPort {
	a := n.Admin.Addr()
	if n.Admin.Port == nil {
		return netip.AddrPortFrom(a.Addr(), 9991)
	}
	return a
}

// KeyHint implements the decoder's hints.
func (*Namerd) KeyHint(key string) string {
	switch key {
	case "routers", "usage":
		return "this is a key of a proxy's configuration: use weft run"
	case "interface":
		return "use interfaces, a list"
	case "kind", "namespaces":
		return "this is a key of the storage: set storage." + key
	default:
		return ""
	}
}

// Listener is implemented by the configuration of interfaces: kinds that listen.
type Listener interface {
	// Addr returns the address to listen on.
	Addr() netip.AddrPort
}

// IsNamerd reports whether a document is meant to configure a control plane: it has
// keys that only those have, and no routers. A document that cannot be parsed is not.
func IsNamerd(file string, data []byte) bool {
	doc, err := Parse(file, data)
	if err != nil || valueOf(doc.root, "routers") != nil {
		return false
	}
	return valueOf(doc.root, "storage") != nil || valueOf(doc.root, "interfaces") != nil
}

// LoadNamerd is Load for the configuration of a control plane.
func LoadNamerd(file string, data []byte, opts Options) (*Namerd, error) {
	doc, err := Parse(file, data)
	if err != nil {
		return nil, err
	}
	n := &Namerd{doc: doc}
	problems := doc.decode(n, opts)
	if problems == nil || n.Interfaces != nil || !n.Storage.IsZero() {
		problems = append(problems, n.check(doc.problem, problems)...)
	}
	found := problems.sorted()
	errs, warnings := found.Split()
	if n.Warnings = warnings; len(errs) > 0 {
		return n, found
	}
	return n, nil
}

// check applies the rules between keys, in the words of the original where it has
// them. What is already known to be wrong is not reported again.
func (n *Namerd) check(at reporter, known Problems) Problems {
	c := &checker{at: at}
	reported := func(path string) bool {
		return slices.ContainsFunc(known, func(p Problem) bool { return p.Path == path || hasPrefixPath(p.Path, path) })
	}
	if n.Storage.IsZero() && !reported("storage") {
		c.report("storage", "'storage' field is required: one object with a kind; a control plane without a file keeps its dtabs in one of its own")
	}
	switch {
	case reported("interfaces"):
	case n.Interfaces == nil:
		c.report("interfaces", "'interfaces' field is required")
	case len(n.Interfaces) == 0:
		c.report("interfaces", "One or more interfaces must be specified")
	}
	for i := range n.Namers {
		path := fmt.Sprintf("namers[%d]", i)
		if n.Namers[i].IsZero() {
			continue
		}
		if n.Namers[i].Prefix.IsEmpty() {
			c.report(path+".prefix", "Namers must not have an empty prefix")
			continue
		}
		for j := range i {
			a, b := n.Namers[j].Prefix, n.Namers[i].Prefix
			if !a.IsEmpty() && !n.Namers[j].IsZero() && (a.HasPrefix(b) || b.HasPrefix(a)) {
				c.report(path+".prefix", fmt.Sprintf("Namers must not have overlapping prefixes: %s & %s", a, b))
			}
		}
	}
	s := &sockets{checker: c}
	s.add(n.AdminAddr(), "admin")
	for i := range n.Interfaces {
		if l, ok := n.Interfaces[i].Config.(Listener); ok {
			s.add(l.Addr(), fmt.Sprintf("interfaces[%d]", i))
		}
	}
	return c.problems
}

// hasPrefixPath reports whether path is below the key above.
func hasPrefixPath(path, above string) bool {
	return len(path) > len(above) && path[:len(above)] == above && (path[len(above)] == '.' || path[len(above)] == '[')
}

// At returns the position of path in the document that the configuration was loaded
// from, 0 without one.
func (n *Namerd) At(path string) (line, column int) {
	if n.doc == nil {
		return 0, 0
	}
	return n.doc.At(path)
}

// File returns the name of the document that the configuration was loaded from, ""
// without one.
func (n *Namerd) File() string {
	if n.doc == nil {
		return ""
	}
	return n.doc.file
}

// JSON returns the configuration as /config.json shows it.
func (n *Namerd) JSON() ([]byte, error) {
	if n.doc == nil {
		return []byte("{}"), nil
	}
	return n.doc.JSON()
}
