package naming

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
)

// Catalog is the usual namer: the first element of a path is the name of a
// service, the rest is residual. It is safe for concurrent use. Close it.
type Catalog struct {
	prefix dtab.Path
	shared *Shared[string, weft.EndpointSet]
}

// NewCatalog returns the namer, under the whole prefix of its names, of the
// services whose endpoints w watches. A set with Neg says that there is no such
// service.
func NewCatalog(prefix dtab.Path, w Watcher[string, weft.EndpointSet], o SharedOptions) *Catalog {
	return &Catalog{prefix: prefix, shared: NewShared(w, o)}
}

// Prefix returns the whole prefix of the namer's names.
func (c *Catalog) Prefix() dtab.Path { return c.prefix }

// Lookup implements Namer.
func (c *Catalog) Lookup(ctx context.Context, p dtab.Path) weft.Source[State[dtab.Tree[Name]]] {
	if p.IsEmpty() {
		return NoSuchName()
	}
	service := p.Elem(0)
	return LeafWhilePresent(ctx, c.prefix.Concat(p.Take(1)), p.Drop(1),
		func(ctx context.Context) weft.Source[State[weft.EndpointSet]] { return c.shared.Observe(ctx, service) })
}

// Watches implements Reporter.
func (c *Catalog) Watches() []WatchStatus { return c.shared.Watches() }

// Close ends the watches and waits for them. What has been handed out stands
// still.
func (c *Catalog) Close() error { return c.shared.Close() }
