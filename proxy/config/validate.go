package config

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/weft-mesh/weft/dtab"
)

// reporter makes a problem at a path; it knows the positions.
type reporter func(path, message string) Problem

// checker collects what the rules for whole configurations find.
type checker struct {
	at       reporter
	problems Problems
}

func (c *checker) report(path, message string) {
	c.problems = append(c.problems, c.at(path, message))
}

func (c *checker) warn(path, message string) {
	p := c.at(path, message)
	p.Warning = true
	c.problems = append(c.problems, p)
}

// check applies the rules between keys, in the words of the original where it has
// them.
func (l *Linker) check(at reporter) Problems {
	c := &checker{at: at}
	if len(l.Routers) == 0 {
		c.report("routers", "At least one router must be specified in the configuration.")
	}
	labels := map[string]bool{}
	for i := range l.Routers {
		r, path := &l.Routers[i], fmt.Sprintf("routers[%d]", i)
		if r.Protocol == "" {
			continue // reported as missing, and it is where defaults come from
		}
		if name := r.Name(); labels[name] {
			where := path + ".label"
			if r.Label == nil {
				where = path + ".protocol"
			}
			c.report(where, "Multiple routers with the label "+name)
		}
		labels[r.Name()] = true
		c.router(r, path)
	}
	c.sockets(l)
	return c.problems
}

func (c *checker) router(r *Router, path string) {
	if len(r.Servers) == 0 {
		c.report(path+".servers", fmt.Sprintf("router '%s' has no servers", r.Name()))
	}
	if r.Identifiers != nil && len(r.Identifiers) == 0 {
		c.report(path+".identifier", "empty identifier list")
	}
	if r.StreamingEnabled != nil && !*r.StreamingEnabled && r.StreamAfterContentLengthKB != nil {
		c.report(path+".streamAfterContentLengthKB",
			"Conflicting streaming options set. Can't disable streaming and set streamAfterContentLengthKB in "+r.Name())
	}
	for i := range r.Servers {
		for j, name := range r.Servers[i].Announce {
			c.announce(name, r.Announcers, fmt.Sprintf("%s.servers[%d].announce[%d]", path, i, j))
		}
	}
	for i := range r.Client.Configs {
		at := path + ".client"
		if r.Client.Kind == kindStatic {
			at = fmt.Sprintf("%s.configs[%d]", at, i)
		}
		c.tls(r.Client.Configs, i, at+".tls")
	}
}

// tls checks the TLS settings of entry i. Settings without a common name are taken
// if a later entry can complete them.
func (c *checker) tls(entries []PolicyFor[ClientPolicy], i int, path string) {
	t := entries[i].Policy.TLS
	if t == nil {
		return
	}
	if t.TrustCerts != nil {
		c.warn(path+".trustCerts", "trustCerts is deprecated: use trustCertsBundle")
	}
	completed := slices.ContainsFunc(entries[i+1:], func(e PolicyFor[ClientPolicy]) bool {
		return e.Policy.TLS != nil && !e.Policy.TLS.partial()
	})
	if err := t.Check(); err != nil && !(t.partial() && completed) {
		if key := keyOf(err); key != "" {
			path = join(path, key)
		}
		c.report(path, err.Error())
	}
}

// announce checks a name to announce: the original starts without an announcer for
// it, and says so.
func (c *checker) announce(name dtab.Path, announcers []Part, path string) {
	if name.Len() == 0 || name.Shown(0) != "#" {
		c.report(path, fmt.Sprintf("a name to announce starts with /# and the prefix of an announcer, found %s", name))
		return
	}
	rest := name.Drop(1)
	if !slices.ContainsFunc(announcers, func(a Part) bool { return rest.HasPrefix(a.Prefix) }) {
		c.warn(path, fmt.Sprintf("no announcer found for %s", name))
	}
}

// socket is one address that the proxy listens on.
type socket struct {
	addr netip.AddrPort
	path string
}

// sockets finds servers that want the same port. The original compares the
// addresses as they are written and fails to bind when one is the wildcard; here
// the wildcard is found to conflict too. Port 0 conflicts with nothing.
type sockets struct {
	*checker
	all []socket
}

func (s *sockets) add(addr netip.AddrPort, path string) {
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	for _, o := range s.all {
		a, b := o.addr.Addr(), addr.Addr()
		if addr.Port() != 0 && addr.Port() == o.addr.Port() && (a == b || a.IsUnspecified() || b.IsUnspecified()) {
			s.report(path, fmt.Sprintf("Server conflict on port %d: %s listens on %s already", addr.Port(), o.path, o.addr))
			break
		}
	}
	s.all = append(s.all, socket{addr, path})
}

// sockets checks the listeners of a proxy.
func (c *checker) sockets(l *Linker) {
	s := &sockets{checker: c}
	s.add(l.Admin.Addr(), "admin")
	if p := l.Admin.HTTPIdentifierPort; p != nil {
		s.add(netip.AddrPortFrom(l.Admin.Addr().Addr(), uint16(*p)), "admin.httpIdentifierPort") //nolint:gosec // the decoder checks the range
	}
	for i := range l.Routers {
		for j := range l.Routers[i].Servers {
			path := fmt.Sprintf("routers[%d].servers[%d]", i, j)
			if l.Routers[i].Servers[j].Port != nil {
				path += ".port"
			}
			s.add(l.Routers[i].Addr(j), path)
		}
	}
}

// protocols resolves the routers' protocols.
func (l *Linker) protocols(opts Options, at reporter) Problems {
	c := &checker{at: at}
	for i := range l.Routers {
		r, path := &l.Routers[i], fmt.Sprintf("routers[%d].protocol", i)
		if r.Protocol == "" {
			continue
		}
		entry, ok := opts.Registry.Lookup(RoleProtocol, r.Protocol)
		if !ok {
			c.report(path, opts.Registry.unknown(RoleProtocol, r.Protocol))
			continue
		}
		r.entry = entry
		if entry.Experimental && !r.Experimental {
			c.report(path, entry.needsFlag(r.Protocol))
		}
		if !entry.Built() && !opts.AllowNotBuilt {
			c.report(path, entry.notBuilt())
		}
	}
	return c.problems
}
