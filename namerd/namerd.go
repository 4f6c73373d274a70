package namerd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Options are what a Namerd is made of. Only Store is required.
type Options struct {
	// Store keeps the dtabs. It is not closed.
	Store Store

	// Namers answer for the names of the dtabs. No prefix may be empty or begin with
	// another one. They are not closed.
	Namers naming.Namers

	// Global answers for names under /$. Nil knows no such names.
	Global naming.Namer

	// Linger is how long a name stays bound after the last one who asked for it has
	// gone. Zero is 10 s, a negative value none.
	Linger time.Duration

	// Logger is told of what goes wrong. Nil is silent.
	Logger *slog.Logger
}

// Namerd binds names by the dtabs of namespaces. It is safe for concurrent use.
type Namerd struct {
	opts Options
	bare *naming.Default // names with no dtab but the request's

	dtabs    *naming.Shared[string, Stored]
	bindings *naming.Shared[question, Binding]
	scopes   *naming.Shared[string, scope]
	addrs    *naming.Shared[dtab.Path, weft.EndpointSet]
	names    *naming.Shared[struct{}, []dtab.Path]

	explaining atomic.Int64 // explanations that are being made
}

// New returns a Namerd. Close it before the store and the namers.
func New(o Options) (*Namerd, error) {
	if o.Store == nil {
		return nil, errors.New("namerd: no store")
	}
	if err := checkNamers(o.Namers); err != nil {
		return nil, err
	}
	if o.Linger == 0 {
		o.Linger = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	n := &Namerd{opts: o, bare: naming.NewInterpreter(naming.Options{Namers: o.Namers, Global: o.Global})}
	shared := naming.SharedOptions{Linger: o.Linger, Logger: o.Logger}
	n.dtabs = naming.NewShared(naming.WatchFunc[string, Stored](n.watchDtab), shared)
	n.scopes = naming.NewShared(naming.WatchFunc[string, scope](n.watchScope), shared)
	// What cannot be said is the answer, for those who ask a namerd.
	shared.Local = true
	n.bindings = naming.NewShared(naming.WatchFunc[question, Binding](n.watchBinding), shared)
	n.addrs = naming.NewShared(naming.WatchFunc[dtab.Path, weft.EndpointSet](n.watchAddr), shared)
	n.names = naming.NewShared(naming.WatchFunc[struct{}, []dtab.Path](n.watchNames), shared)
	return n, nil
}

// checkNamers refuses prefixes of which it could not be said whose names they are.
func checkNamers(ns naming.Namers) error {
	for _, n := range ns {
		if n.Prefix.Len() < 2 {
			return errors.New("Namers must not have an empty prefix")
		}
	}
	if a, b, overlap := ns.Overlap(); overlap {
		return fmt.Errorf("Namers must not have overlapping prefixes: %s & %s", a.Drop(1), b.Drop(1))
	}
	return nil
}

// Store returns the store.
func (n *Namerd) Store() Store { return n.opts.Store }

// Namers returns the configured namers.
func (n *Namerd) Namers() naming.Namers { return n.opts.Namers }

// Close ends everything that is being observed and waits for it.
func (n *Namerd) Close() error {
	return errors.Join(n.names.Close(), n.addrs.Close(), n.bindings.Close(), n.scopes.Close(), n.dtabs.Close(), n.bare.Close())
}

// Dtab observes the dtab of a namespace until ctx ends.
func (n *Namerd) Dtab(ctx context.Context, namespace string) weft.Source[naming.State[Stored]] {
	return n.dtabs.Observe(ctx, namespace)
}

func (n *Namerd) watchDtab(ctx context.Context, namespace string, set func(naming.State[Stored])) error {
	src := n.opts.Store.Observe(ctx, namespace)
	for {
		s, newer := src.Load()
		set(s)
		if err := naming.Any(ctx, []<-chan struct{}{newer}); err != nil {
			return err
		}
	}
}
