package marathon

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Namer answers for the apps of a Marathon. It is safe for concurrent use. Close
// it.
type Namer struct {
	cfg      Config
	opts     Options
	client   *client
	troubles *troubles
	lists    *naming.Shared[string, appIDs]              // of the one list of apps, by its path
	sets     *naming.Shared[dtab.Path, weft.EndpointSet] // of apps
	names    *naming.Shared[dtab.Path, choice]           // of what is looked up, in lower case
	skipped  atomic.Uint64
}

// New returns a Namer. It asks for nothing before the first Lookup. It returns an
// error if the configuration cannot be used, also if the credentials have the wrong
// form.
func New(c Config, o Options) (*Namer, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	o = o.withDefaults()
	api, err := newClient(c, o)
	if err != nil {
		return nil, err
	}
	n := &Namer{cfg: c, opts: o, client: api, troubles: newTroubles(o.Logger, api.base.String())}
	n.lists = naming.NewShared(naming.WatchFunc[string, appIDs](n.watchList), naming.SharedOptions{Logger: o.Logger})
	n.sets = naming.NewShared(naming.WatchFunc[dtab.Path, weft.EndpointSet](n.watchApp), naming.SharedOptions{Logger: o.Logger})
	n.names = naming.NewShared(naming.WatchFunc[dtab.Path, choice](n.choose), naming.SharedOptions{Logger: o.Logger})
	return n, nil
}

// Prefix returns the whole prefix of the namer's names.
func (n *Namer) Prefix() dtab.Path { return n.cfg.Prefix }

// Watches implements naming.Reporter: the list of apps, and the apps in use.
func (n *Namer) Watches() []naming.WatchStatus {
	return slices.Concat(n.lists.Watches(), n.sets.Watches())
}

// Names returns the names of all apps, sorted, as far as the list is known because
// some name is in use.
func (n *Namer) Names() ([]dtab.Path, error) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // to look without beginning a watch
	s, _ := n.lists.Observe(ctx, n.listPath()).Load()
	if !s.Known {
		return nil, s.Err
	}
	names := make([]dtab.Path, 0, len(s.Value))
	for id := range s.Value {
		names = append(names, n.cfg.Prefix.Concat(id))
	}
	slices.SortFunc(names, func(a, b dtab.Path) int { return strings.Compare(a.String(), b.String()) })
	return names, nil
}

// Skipped returns how many apps and tasks were left out so far because they could
// not be understood, each version of one counted once per watch.
func (n *Namer) Skipped() uint64 { return n.skipped.Load() }

// Close ends all watches and waits for them. What has been handed out stands still.
func (n *Namer) Close() error {
	err := errors.Join(n.names.Close(), n.sets.Close(), n.lists.Close())
	n.client.close()
	return err
}

// Lookup implements naming.Namer.
func (n *Namer) Lookup(ctx context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	if p.IsEmpty() {
		return naming.NoSuchName()
	}
	key, err := lower(p)
	if err != nil {
		return naming.AnswerErr(err)
	}
	l := leaves{n: n, key: key, path: p}
	return naming.Derive(n.names.Observe(ctx, key), func(s naming.State[choice]) naming.State[dtab.Tree[naming.Name]] {
		return naming.MapState(s, l.tree)
	})
}

// leaves makes the answers to one look-up. The leaf stays the same one as long as
// the same app is chosen.
type leaves struct {
	n         *Namer
	key, path dtab.Path
	last      atomic.Pointer[leaf]
}

type leaf struct {
	used int
	tree dtab.Tree[naming.Name]
}

func (l *leaves) tree(c choice) dtab.Tree[naming.Name] {
	if c.used == 0 {
		return dtab.Tree[naming.Name]{}
	}
	if last := l.last.Load(); last != nil && last.used == c.used {
		return last.tree
	}
	app := l.key.Take(c.used)
	t := dtab.LeafOf(naming.Name{Bound: &naming.Bound{
		ID:       l.n.cfg.Prefix.Concat(app),
		Residual: l.path.Drop(c.used),
		Addrs: func(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] {
			return l.n.sets.Observe(ctx, app)
		},
	}})
	l.last.Store(&leaf{used: c.used, tree: t})
	return t
}

// lower returns p in lower case.
func lower(p dtab.Path) (dtab.Path, error) {
	elems := p.Strings()
	for i, e := range elems {
		elems[i] = strings.ToLower(e)
	}
	return dtab.PathOf(elems...)
}
