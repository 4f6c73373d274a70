package namers

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/global"
	"github.com/weft-mesh/weft/naming/inet"
	"github.com/weft-mesh/weft/naming/transformer"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/telemetry"
)

// Options are what a Set is made of.
type Options struct {
	// Namers are the configured ones.
	Namers []config.Part

	// Tree gets the metrics of namers.
	Tree *telemetry.Tree

	// Logger must not be nil.
	Logger *slog.Logger
}

// Set is the namers that a configuration lists, with what they look names up with:
// the resolver of host names, the names under /$, what plug-ins share. It is safe
// for concurrent use, but for Report, which is for the time before anything is served.
type Set struct {
	opts      Options
	resolver  *inet.Resolver
	global    naming.Namer
	namers    naming.Namers
	binder    *late
	discovery []Discovery
	shared    plugin.Shared
	closers   []io.Closer // in the order in which they were made
}

// New makes the namers. Close the Set after everything that uses it.
func New(o Options) (_ *Set, err error) {
	s := &Set{opts: o, binder: &late{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	s.own(&s.shared) // before all that uses it, and so closed after it
	s.resolver = inet.New(inet.Options{Logger: plugin.Named(o.Logger, "inet")})
	s.own(s.resolver)
	classes, err := s.classes()
	if err != nil {
		return nil, err
	}
	s.global = global.New(global.Options{Inet: s.resolver.Resolve, FixedInet: s.resolver.ResolveOnce, Classes: classes})
	for _, part := range o.Namers {
		if err := s.add(part); err != nil {
			return nil, err
		}
	}
	whole := naming.NewInterpreter(naming.Options{Namers: s.namers, Global: s.global})
	s.own(whole)
	s.binder.set(whole)
	return s, nil
}

func (s *Set) add(part config.Part) error {
	prefix := dtab.MustPath("/#").Concat(part.Prefix)
	scope := s.opts.Tree.Scope("namer", part.Prefix.String()[1:])
	n, err := config.Build[naming.Namer](part, plugin.NamerEnv{
		Prefix: prefix, Resolve: s.Resolve, Logger: plugin.Named(s.opts.Logger, part.Kind),
		Binder: s.binder, Shared: &s.shared, Metrics: scope,
	})
	if err != nil {
		return err
	}
	ts, err := s.Transformers(part)
	if err != nil {
		return errors.Join(err, closeIt(n))
	}
	n = transformer.Namer(n, ts...)
	s.own(n)
	s.Report(prefix.String(), part.Kind, n, scope)
	s.namers = append(s.namers, naming.Prefixed{Prefix: prefix, Namer: n})
	return nil
}

func (s *Set) own(c any) {
	if closer, ok := c.(io.Closer); ok {
		s.closers = append(s.closers, closer)
	}
}

// Namers returns the namers in the order of the configuration.
func (s *Set) Namers() naming.Namers { return s.namers }

// Global returns what answers for the names under /$.
func (s *Set) Global() naming.Namer { return s.global }

// Shared returns what plug-ins of one process have in common.
func (s *Set) Shared() *plugin.Shared { return &s.shared }

// Resolve resolves host names. It is a plugin.Resolve.
func (s *Set) Resolve(ctx context.Context, host, port string) weft.Source[naming.State[weft.EndpointSet]] {
	return s.resolver.Resolve(ctx, host, port)
}

// Binder returns the interpreter of all namers without a dtab.
func (s *Set) Binder() transformer.Binder { return s.binder }

// BoundNames returns the ids of the names that namers can list, in alphabetical order.
func (s *Set) BoundNames(context.Context) []string {
	names := []string{}
	for _, n := range s.namers {
		l, ok := n.Namer.(plugin.Lister)
		if !ok {
			continue
		}
		paths, err := l.Names()
		if err != nil {
			continue // what cannot be listed now has no names to show
		}
		for _, path := range paths {
			names = append(names, path.String())
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// States returns the state pages of the namers that have one, by their prefixes
// without /#/.
func (s *Set) States() map[string]func() any {
	all := map[string]func() any{}
	for _, n := range s.namers {
		if st, ok := n.Namer.(plugin.Stater); ok {
			all[n.Prefix.Drop(1).String()[1:]] = st.State
		}
	}
	return all
}

// Close closes everything, last made first.
func (s *Set) Close() error {
	var err error
	for _, c := range slices.Backward(s.closers) {
		err = errors.Join(err, c.Close())
	}
	return err
}
