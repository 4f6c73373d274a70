package etcd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Namer answers for the services in an etcd cluster. It is safe for concurrent
// use. Close it.
type Namer struct {
	prefix dtab.Path
	keys   string // what the keys of services begin with
	opts   Options
	link   *link
	sets   *naming.Shared[string, weft.EndpointSet] // by the name of the service

	malformed atomic.Uint64
}

// New returns a Namer. It connects to nothing before the first Lookup; then it has
// one connection until Close. An error says what is wrong with the configuration.
func New(c Config, o Options) (*Namer, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Prefix.IsEmpty() {
		c.Prefix = dtab.MustPath("/#/io.l5d.etcd")
	}
	o = o.withDefaults()
	n := &Namer{prefix: c.Prefix, keys: c.keys(), opts: o, link: newLink(c, o)}
	n.sets = naming.NewShared(naming.WatchFunc[string, weft.EndpointSet](n.watch), naming.SharedOptions{
		Linger: o.Linger, MinBackoff: o.MinBackoff, MaxBackoff: o.MaxBackoff, Logger: o.Logger,
	})
	return n, nil
}

// Prefix returns the whole prefix of the namer's names.
func (n *Namer) Prefix() dtab.Path { return n.prefix }

// Lookup implements naming.Namer.
func (n *Namer) Lookup(ctx context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	if p.IsEmpty() {
		return naming.NoSuchName()
	}
	service := p.Elem(0)
	return naming.LeafWhilePresent(ctx, n.prefix.Concat(p.Take(1)), p.Drop(1),
		func(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] {
			return n.sets.Observe(ctx, service)
		})
}

// Close ends the watches and the connection and waits for them. What has been
// handed out stands still. Close may be called more than once.
func (n *Namer) Close() error {
	n.link.stop()
	err := n.sets.Close()
	n.link.close()
	return err
}

// Names returns the ids of the services that etcd has at the moment, sorted. It
// asks etcd, for the keys of all instances.
func (n *Namer) Names() ([]dtab.Path, error) {
	ctx, cancel := context.WithTimeout(n.link.ctx, 3*n.opts.Timeout)
	defer cancel()
	s, err := n.link.session(ctx)
	if err != nil {
		return nil, fmt.Errorf("etcd: %w", err)
	}
	from, to := everything(n.keys)
	resp, err := s.client.Get(ctx, from, clientv3.WithRange(to), clientv3.WithKeysOnly())
	if err != nil {
		return nil, fmt.Errorf("etcd: keys below %q: %w", n.keys, err)
	}
	ids := []dtab.Path{}
	last := ""
	for _, kv := range resp.Kvs {
		service, _, ok := strings.Cut(string(kv.Key[len(n.keys):]), "/")
		if !ok || service == "" || service == last {
			continue
		}
		last = service
		id, err := n.prefix.Append(service)
		if err != nil {
			return nil, fmt.Errorf("etcd: key %q: %w", kv.Key, err)
		}
		ids = append(ids, id)
	}
	// Keys sort otherwise: those of a-b come before those of a.
	slices.SortFunc(ids, func(a, b dtab.Path) int { return strings.Compare(a.String(), b.String()) })
	return ids, nil
}

// everything returns the range of all keys that begin with prefix.
func everything(prefix string) (from, to string) {
	if prefix == "" {
		return "\x00", "\x00"
	}
	return prefix, clientv3.GetPrefixRangeEnd(prefix)
}
