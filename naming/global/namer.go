package global

import (
	"context"
	"strconv"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Resolve returns the endpoints of host at port, kept up to date until ctx ends.
// It does not block, and it answers for whatever it is given: an empty host is
// the loopback address, a port that is none a failure. The method Resolve of
// package inet's Resolver is one.
type Resolve func(ctx context.Context, host, port string) weft.Source[naming.State[weft.EndpointSet]]

// Options are what the names are made with. The zero Options give a namer whose
// addresses fail with ErrNoResolver and whose other names work.
type Options struct {
	// Inet resolves the addresses of /$/inet and rinet. Nil fails all of them.
	Inet Resolve

	// FixedInet resolves those of /$/fixedinet. Nil is Inet.
	FixedInet Resolve

	// Classes are further utility namers by class name. They get the path after the
	// class, and come before those of the same name that are built in.
	Classes map[string]naming.Namer
}

// Namer answers for /$/…. It keeps nothing and is safe for concurrent use.
type Namer struct{ o Options }

// New returns a Namer. There is nothing to close.
func New(o Options) *Namer {
	if o.Inet == nil {
		o.Inet = noResolver
	}
	if o.FixedInet == nil {
		o.FixedInet = o.Inet
	}
	return &Namer{o: o}
}

// Lookup implements naming.Namer; p is the whole name. The answer never changes.
// What changes are the endpoints of bound names.
func (n *Namer) Lookup(ctx context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	if p.Len() < 2 || p.Elem(0) != "$" {
		return naming.Answer(dtab.Tree[naming.Name]{})
	}
	class := p.Elem(1)
	switch class {
	case "inet":
		if name, ok := inetName(n.o.Inet, p); ok {
			return leaf(name)
		}
	case "fixedinet":
		if name, ok := inetName(n.o.FixedInet, p); ok {
			return leaf(name)
		}
	case "fail":
		return naming.Answer(dtab.Tree[naming.Name]{Op: dtab.Fail})
	case "nil":
		return naming.Answer(dtab.Tree[naming.Name]{Op: dtab.Empty})
	}
	return n.utility(ctx, class, p)
}

// inetName reads /$/inet/host/port and /$/inet/port. The longer form goes first.
func inetName(resolve Resolve, p dtab.Path) (naming.Name, bool) {
	switch {
	case isPort(p.Elem(3)):
		return resolved(resolve, p.Elem(2), p.Elem(3), p, 4), true
	case isPort(p.Elem(2)):
		return resolved(resolve, "", p.Elem(2), p, 3), true
	default:
		return naming.Name{}, false
	}
}

// isPort reports whether s is a number as Java's Integer.parseInt takes it.
func isPort(s string) bool {
	_, err := strconv.ParseInt(s, 10, 32)
	return err == nil
}

// resolved returns the bound name of the first n elements of p, with the
// endpoints that resolve finds.
func resolved(resolve Resolve, host, port string, p dtab.Path, n int) naming.Name {
	return naming.Name{Bound: &naming.Bound{
		ID:       p.Take(n),
		Residual: p.Drop(n),
		Addrs: func(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] {
			return resolve(ctx, host, port)
		},
	}}
}

// leaf is the answer that consists of one name.
func leaf(name naming.Name) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	return naming.Answer(dtab.LeafOf(name))
}
