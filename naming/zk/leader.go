package zk

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Leader is the namer io.l5d.zkLeader, and /$/io.buoyant.namer.zk.leader: the leader
// of a group is its member with the lowest number, and its data are its addresses. It
// is safe for concurrent use. Close it.
type Leader struct {
	base
	groups   *naming.Shared[place, group]
	sets     *naming.Shared[place, weft.EndpointSet]
	searches *naming.Shared[nameAt, bound]
}

func (p place) String() string { return p.path }

// group is what is known of a group.
type group struct {
	exists bool
	leader []chosen // none if there is no leader
}

// NewLeader returns the namer io.l5d.zkLeader, by default under /#/io.l5d.zkLeader. It
// asks nothing before the first Lookup.
func NewLeader(c Config, o Options) (*Leader, error) {
	b, err := newBase(c, o, "/#/io.l5d.zkLeader")
	if err != nil {
		return nil, err
	}
	return newLeader(b), nil
}

// NewLeaderClass returns the utility namer /$/io.buoyant.namer.zk.leader, whose names
// begin with the servers: host:port::host:port/zk/path. Addrs of the configuration
// are not used.
func NewLeaderClass(c Config, o Options) (*Leader, error) {
	b, err := newClassBase(c, o, "/$/io.buoyant.namer.zk.leader", "::")
	if err != nil {
		return nil, err
	}
	return newLeader(b), nil
}

func newLeader(b base) *Leader {
	n := &Leader{base: b}
	n.groups = naming.NewShared(watch(n.faults, place.String, n.watchGroup), n.sharing())
	n.sets = naming.NewShared(watch(n.faults, place.String, n.watchEndpoints), n.sharing())
	n.searches = naming.NewShared(naming.WatchFunc[nameAt, bound](n.search), n.sharing())
	return n
}

// Lookup implements naming.Namer. The longest beginning of the path that is a znode
// is the group; the rest is residual.
func (n *Leader) Lookup(ctx context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	ensemble, name, err := n.ensembleOf(p)
	if err != nil {
		return naming.AnswerErr(err)
	}
	skip := p.Len() - name.Len()
	return naming.Derive(n.searches.Observe(ctx, nameAt{ensemble, name}), func(s naming.State[bound]) naming.State[dtab.Tree[naming.Name]] {
		return naming.MapState(s, func(b bound) dtab.Tree[naming.Name] {
			path, ok := znode(name.Take(max(b.elems, 0)).Strings())
			if b.elems < 0 || !ok {
				return dtab.Tree[naming.Name]{}
			}
			return dtab.LeafOf(naming.Name{Bound: &naming.Bound{
				ID:       n.prefix.Concat(p.Take(skip + b.elems)),
				Residual: name.Drop(b.elems),
				Addrs: func(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] {
					return n.sets.Observe(ctx, place{ensemble, path})
				},
			}})
		})
	})
}

// Watches implements naming.Reporter: one watch for each group that is in use.
func (n *Leader) Watches() []naming.WatchStatus { return n.sets.Watches() }

// Close ends the watches and waits for them. What has been handed out stands still.
func (n *Leader) Close() error {
	_ = n.searches.Close() // they have no errors
	_ = n.sets.Close()
	_ = n.groups.Close()
	return n.base.close()
}

// search is the naming.Watcher of which beginning of a name is a group. One without
// a leader ends the search, as nothing.
func (n *Leader) search(ctx context.Context, key nameAt, set func(naming.State[bound])) error {
	return searchPrefixes(ctx, key.name, set, func(ctx context.Context, p dtab.Path) (weft.Source[naming.State[verdict]], error) {
		path, ok := znode(p.Strings())
		if !ok {
			return nil, nil
		}
		return naming.Derive(n.groups.Observe(ctx, place{key.ensemble, path}), func(s naming.State[group]) naming.State[verdict] {
			return naming.MapState(s, func(g group) verdict {
				switch {
				case !g.exists:
					return shorter
				case len(g.leader) == 0:
					return nothing
				default:
					return this
				}
			})
		}), nil
	})
}

// lowest picks the candidate with the lowest number.
func lowest(names []string) []string {
	var best []string
	for _, name := range names {
		digits, ok := strings.CutPrefix(name, memberPrefix)
		if _, err := strconv.ParseInt(digits, 10, 64); !ok || err != nil {
			continue
		}
		// Compared as the original does; numbers of one length, from ZooKeeper.
		if len(best) == 0 || name < best[0] {
			best = []string{name}
		}
	}
	return best
}

// watchGroup is the naming.Watcher of a group. A leader whose data cannot be read is
// not the absence of one: the last one stays, as a stale answer.
func (n *Leader) watchGroup(ctx context.Context, at place, set func(naming.State[group])) error {
	d := directory[[]chosen]{path: at.path, wanted: lowest, parse: parseLeader}
	return follow(ctx, &n.base, at.ensemble, d, func(l listing[[]chosen], version string) {
		if l.bad != nil {
			set(naming.Failed[group](fmt.Errorf("zk: %s: the leader's data: %w", at.path, l.bad)))
			return
		}
		g := group{exists: !l.absent}
		for _, e := range l.entries {
			g.leader = e.value
		}
		set(naming.Ok(g).At(version))
	}, func(err error) { set(naming.Failed[group](err)) })
}

// watchEndpoints is the naming.Watcher of the leader's addresses.
func (n *Leader) watchEndpoints(ctx context.Context, at place, set func(naming.State[weft.EndpointSet])) error {
	f := resolution[group]{src: n.groups.Observe(ctx, at), resolve: n.opts.Resolve, choose: func(g group) choice {
		return choice{up: g.leader, neg: true}
	}}
	return f.follow(ctx, set)
}

// parseLeader reads the addresses of a leader: host:port,host:port.
func parseLeader(_ string, data []byte) ([]chosen, error) {
	var all []chosen
	for text := range strings.SplitSeq(strings.TrimSpace(string(data)), ",") {
		host, port, err := net.SplitHostPort(strings.TrimSpace(text))
		n, perr := strconv.ParseUint(port, 10, 16)
		if err = errors.Join(err, perr); err != nil || host == "" || n == 0 {
			return nil, fmt.Errorf("want host:port[,host:port…], have %q", text)
		}
		c := chosen{hostPort: hostPort{host, int(n)}}
		if !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all, nil
}
