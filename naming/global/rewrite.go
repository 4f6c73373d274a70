package global

import (
	"slices"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// rewriteFunc turns the path after the class into the path to look up instead.
// It returns false for a path that the class has no answer for, and an error for
// one that leads to an element of no bytes.
type rewriteFunc func(rest dtab.Path) (to dtab.Path, ok bool, err error)

// rewriter returns the utility namer of that class if it is one that rewrites
// paths, or nil.
func rewriter(class string) rewriteFunc {
	switch class {
	case "io.buoyant.hostportPfx":
		return func(p dtab.Path) (dtab.Path, bool, error) { return splitHostPort(p, false) }
	case "io.buoyant.porthostPfx":
		return func(p dtab.Path) (dtab.Path, bool, error) { return splitHostPort(p, true) }
	case "io.buoyant.http.anyMethod":
		return func(p dtab.Path) (dtab.Path, bool, error) { return cut(p, 0, isMethod) }
	case "io.buoyant.http.anyMethodPfx":
		return func(p dtab.Path) (dtab.Path, bool, error) { return cut(p, 1, isMethod) }
	case "io.buoyant.http.anyHost":
		return func(p dtab.Path) (dtab.Path, bool, error) { return cut(p, 0, isHost) }
	case "io.buoyant.http.anyHostPfx":
		return func(p dtab.Path) (dtab.Path, bool, error) { return cut(p, 1, isHost) }
	case "io.buoyant.http.subdomainOf":
		return func(p dtab.Path) (dtab.Path, bool, error) { return subdomain(p, 0) }
	case "io.buoyant.http.subdomainOfPfx":
		return func(p dtab.Path) (dtab.Path, bool, error) { return subdomain(p, 1) }
	case "io.buoyant.http.domainToPath":
		return func(p dtab.Path) (dtab.Path, bool, error) { return reverseDomain(p, 0) }
	case "io.buoyant.http.domainToPathPfx":
		return func(p dtab.Path) (dtab.Path, bool, error) { return reverseDomain(p, 1) }
	default:
		return nil
	}
}

// cut takes out the element after the first pfx ones if it fits.
func cut(p dtab.Path, pfx int, fits func(string) bool) (dtab.Path, bool, error) {
	if !fits(p.Elem(pfx)) {
		return dtab.Path{}, false, nil
	}
	return p.Take(pfx).Concat(p.Drop(pfx + 1)), true, nil
}

// splitHostPort makes two elements of the second, host:port.
func splitHostPort(p dtab.Path, portFirst bool) (dtab.Path, bool, error) {
	parts := split(p.Elem(1), ":")
	if len(parts) != 2 || !isPortName(parts[1]) {
		return dtab.Path{}, false, nil
	}
	if portFirst {
		parts[0], parts[1] = parts[1], parts[0]
	}
	return replace(p, 1, parts)
}

// subdomain keeps of the host after pfx elements what stands before the domain
// that p begins with.
func subdomain(p dtab.Path, pfx int) (dtab.Path, bool, error) {
	domain, host := p.Elem(0), p.Elem(1+pfx)
	if !isHost(domain) || !isHost(host) {
		return dtab.Path{}, false, nil
	}
	if colon := strings.IndexByte(host, ':'); colon > 0 {
		host = host[:colon]
	}
	sub, ok := strings.CutSuffix(host, "."+domain)
	if !ok || sub == "" {
		return dtab.Path{}, false, nil
	}
	return replace(p.Drop(1), pfx, []string{sub})
}

// reverseDomain makes a path of the labels of the host after pfx elements, the
// last label first.
func reverseDomain(p dtab.Path, pfx int) (dtab.Path, bool, error) {
	host := p.Elem(pfx)
	if !isHost(host) {
		return dtab.Path{}, false, nil
	}
	labels := split(host, ".")
	slices.Reverse(labels)
	return replace(p, pfx, labels)
}

// replace puts elems in the place of element i.
func replace(p dtab.Path, i int, elems []string) (dtab.Path, bool, error) {
	to, err := p.Take(i).Append(elems...)
	if err != nil {
		return dtab.Path{}, false, err
	}
	return to.Concat(p.Drop(i + 1)), true, nil
}

// split splits as Java does: trailing empty parts vanish.
func split(s, sep string) []string {
	parts := strings.Split(s, sep)
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return parts
}

// isHost matches [A-Za-z0-9.:_-]+.
func isHost(s string) bool {
	return s != "" && strings.IndexFunc(s, func(c rune) bool {
		return !isLower(c) && !isDigit(c) && !isUpper(c) && !strings.ContainsRune(".:_-", c)
	}) < 0
}

// isMethod matches [A-Z]+.
func isMethod(s string) bool {
	return s != "" && strings.IndexFunc(s, func(c rune) bool { return !isUpper(c) }) < 0
}

// isPortName matches [a-z0-9][-a-z0-9]*[a-z0-9]? of at most 63 characters: a
// number or the name of a port.
func isPortName(s string) bool {
	return s != "" && len(s) <= 63 && s[0] != '-' && strings.IndexFunc(s, func(c rune) bool {
		return !isLower(c) && !isDigit(c) && c != '-'
	}) < 0
}

func isLower(c rune) bool { return 'a' <= c && c <= 'z' }
func isUpper(c rune) bool { return 'A' <= c && c <= 'Z' }
func isDigit(c rune) bool { return '0' <= c && c <= '9' }
