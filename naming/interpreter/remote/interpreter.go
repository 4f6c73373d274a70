package remote

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Interpreter binds names by asking a namerd. It is safe for concurrent use. Close
// it.
type Interpreter struct {
	conf Config
	opts Options
	link *link

	cache *cache // nil if nothing is kept
	stats stats

	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	trees *naming.Shared[Question, dtab.Tree[*naming.Bound]]
	addrs *naming.Shared[addrOf, weft.EndpointSet]
	dtabs *naming.Shared[dtabOf, dtab.Dtab]
}

// addrOf is the key of the endpoints of an id.
type addrOf struct{ id dtab.Path }

func (a addrOf) String() string { return "addr " + a.id.String() }

// dtabOf is the key of the namespace's dtab.
type dtabOf struct{ namespace string }

func (d dtabOf) String() string { return "dtab " + d.namespace }

var (
	_ naming.Interpreter = (*Interpreter)(nil)
	_ naming.Delegator   = (*Interpreter)(nil)
	_ naming.Reporter    = (*Interpreter)(nil)
)

// New returns an interpreter whose sessions are opened with open. It begins to
// connect at once and does not wait for it. c must be the result of Check.
func New(c Config, o Options, open Open) (*Interpreter, error) {
	if o.Endpoints == nil {
		return nil, fmt.Errorf("%s: %w", c.Kind, errNoEndpoints)
	}
	o = o.withDefaults()
	kept, err := openCache(o.Cache, c, o.Logger)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Kind, err)
	}
	in := &Interpreter{conf: c, opts: o, cache: kept, link: newLink(c, o, open)}
	in.ctx, in.cancel = context.WithCancel(context.Background())
	so := naming.SharedOptions{Linger: o.Linger, Logger: o.Logger}
	in.trees = naming.NewShared(naming.WatchFunc[Question, dtab.Tree[*naming.Bound]](in.watchTree), so)
	in.addrs = naming.NewShared(naming.WatchFunc[addrOf, weft.EndpointSet](in.watchAddrs), so)
	in.dtabs = naming.NewShared(naming.WatchFunc[dtabOf, dtab.Dtab](in.watchDtab), so)
	in.export(o.Metrics)
	return in, nil
}

func (in *Interpreter) watchTree(ctx context.Context, q Question, set func(naming.State[dtab.Tree[*naming.Bound]])) error {
	kept := newKeeper(ctx, set)
	defer kept.close()
	follow(ctx, in, q.String(), func(ctx context.Context, s Session, set func(naming.State[dtab.Tree[*naming.Bound]])) error {
		return s.Tree(ctx, q, func(st naming.State[dtab.Tree[*naming.Bound]]) {
			st = naming.MapState(st, Settle)
			if st.Known && st.Err == nil && in.cache.keeps(q) {
				in.cache.keepTree(q.Path, st.Value)
			}
			set(st)
		})
	}, counting(&in.stats.bind, kept.set))
	return nil
}

func (in *Interpreter) watchAddrs(ctx context.Context, a addrOf, set func(naming.State[weft.EndpointSet])) error {
	follow(ctx, in, a.String(), func(ctx context.Context, s Session, set func(naming.State[weft.EndpointSet])) error {
		return s.Addrs(ctx, a.id, func(st naming.State[weft.EndpointSet]) {
			if st.Known && st.Err == nil {
				in.cache.keepAddrs(a.id, st.Value)
			}
			set(st)
		})
	}, counting(&in.stats.addr, set))
	return nil
}

func (in *Interpreter) watchDtab(ctx context.Context, d dtabOf, set func(naming.State[dtab.Dtab])) error {
	follow(ctx, in, d.String(), func(ctx context.Context, s Session, set func(naming.State[dtab.Dtab])) error {
		return s.Dtab(ctx, set)
	}, counting(&in.stats.dtab, set))
	return nil
}

// Bind implements naming.Interpreter: namerd binds p with the dtab of the
// namespace, the rules of the router and local, in this order. While namerd cannot
// be reached, a name that was never bound has failed with a naming.UnansweredError.
func (in *Interpreter) Bind(ctx context.Context, local dtab.Dtab, p dtab.Path) weft.Source[naming.State[dtab.Tree[*naming.Bound]]] {
	q := in.question(local, p)
	return naming.Derive(in.trees.Observe(ctx, q), func(st naming.State[dtab.Tree[*naming.Bound]]) naming.State[dtab.Tree[*naming.Bound]] {
		if !st.Known && st.Err != nil && in.cache.keeps(q) {
			st = fromCache(st, p, in.cache.tree)
		}
		return naming.MapState(st, func(t dtab.Tree[*naming.Bound]) dtab.Tree[*naming.Bound] {
			return dtab.Map(t, in.bound)
		})
	})
}

func (in *Interpreter) question(local dtab.Dtab, p dtab.Path) Question {
	rules := in.conf.Base.Concat(local)
	return Question{Path: p, Dtab: rules.String(), Rules: in.conf.EncodeDtab(rules)}
}

// bound is b with the endpoints of its id.
func (in *Interpreter) bound(b *naming.Bound) *naming.Bound {
	id := b.ID
	return &naming.Bound{ID: id, Residual: b.Residual, Addrs: func(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] {
		return in.endpoints(ctx, id)
	}}
}

// errNoID is why a leaf whose id namerd did not tell has no endpoints.
var errNoID = errors.New("namerd gave a bound name without an id")

func (in *Interpreter) endpoints(ctx context.Context, id dtab.Path) weft.Source[naming.State[weft.EndpointSet]] {
	if id.IsEmpty() {
		return weft.Const[naming.State[weft.EndpointSet]]{V: naming.Failed[weft.EndpointSet](errNoID)}
	}
	return naming.Derive(in.addrs.Observe(ctx, addrOf{id}), func(st naming.State[weft.EndpointSet]) naming.State[weft.EndpointSet] {
		if !st.Known && st.Err != nil {
			st = fromCache(st, id, in.cache.addrs)
		}
		return unlessUnreachable(st)
	})
}

// fromCache puts what was known before this process began in the place of a failure.
func fromCache[T any](st naming.State[T], p dtab.Path, known func(dtab.Path) (T, time.Time, bool)) naming.State[T] {
	v, at, ok := known(p)
	if !ok {
		return st
	}
	return naming.State[T]{Value: v, Known: true, Err: fmt.Errorf("what was known at %s is used: %w", at.Format(time.RFC3339), st.Err)}
}

// unlessUnreachable makes what could not be asked pending: the name has not
// failed, there just is no answer, and the caller's patience decides.
func unlessUnreachable[T any](st naming.State[T]) naming.State[T] {
	var lost *UnreachableError
	if !st.Known && errors.As(st.Err, &lost) {
		return naming.State[T]{}
	}
	return st
}

// Dtab returns the dtab of the namespace, kept up to date until ctx ends.
func (in *Interpreter) Dtab(ctx context.Context) weft.Source[naming.State[dtab.Dtab]] {
	return naming.Derive(in.dtabs.Observe(ctx, dtabOf{in.conf.Namespace}), unlessUnreachable[dtab.Dtab])
}

// Stored returns the dtab of the namespace, as far as it is known. The first call
// in a while waits for it, at most a second; the dtab is then followed for a minute.
func (in *Interpreter) Stored() dtab.Dtab {
	observed, cancel := context.WithCancel(in.ctx)
	src := in.Dtab(observed)
	time.AfterFunc(time.Minute, cancel)
	ctx, done := context.WithTimeout(observed, time.Second)
	defer done()
	st, _ := weft.Until(ctx, src, func(st naming.State[dtab.Dtab]) bool { return !st.Pending() })
	return st.Value
}

// Base returns the router's dtab.
func (in *Interpreter) Base() dtab.Dtab { return in.conf.Base }

// StateKey names the page that shows what the interpreter holds: the kind and the
// namespace.
func (in *Interpreter) StateKey() string { return in.conf.Kind + "/" + in.conf.Namespace }

// Watches implements naming.Reporter: the connection, the dtab, the names, the ids.
func (in *Interpreter) Watches() []naming.WatchStatus {
	all := []naming.WatchStatus{in.link.status()}
	all = append(all, in.dtabs.Watches()...)
	all = append(all, in.trees.Watches()...)
	return append(all, in.addrs.Watches()...)
}

// Close ends all watches and the connection, and waits for them. What was bound
// stands still. Close may be called more than once.
func (in *Interpreter) Close() error {
	in.cancel()
	err := errors.Join(in.trees.Close(), in.addrs.Close(), in.dtabs.Close())
	in.link.close()
	return errors.Join(err, in.cache.close())
}
