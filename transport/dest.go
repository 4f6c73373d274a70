package transport

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/retry"
)

// Dest is a logical name under a per-request dtab: its binding, retry budget and
// metrics. It comes from Router.Dest with a reference taken; Done gives it back.
// It is safe for concurrent use.
type Dest struct {
	slot   slot
	kept   bool // in the cache; a one-shot is retired with its last reference
	router *Router
	path   dtab.Path
	local  dtab.Dtab
	opts   ServiceOptions
	budget retry.Budget

	binding weft.Source[naming.State[dtab.Tree[*naming.Bound]]]
	cancel  context.CancelFunc
	retired sync.Once

	stats atomic.Pointer[serviceStats] // nil until the name has bound once

	// cur is the reading that requests use; mu serialises making a new one, which
	// is coming as long as its endpoints are not known yet.
	cur    atomic.Pointer[reading]
	mu     sync.Mutex
	coming *reading
}

// reading is what one reading of the binding came to: a route, or an error.
type reading struct {
	route *Route
	err   error
	stale <-chan struct{} // closed when the binding has changed; nil: never
}

func (rd *reading) fresh() bool {
	select {
	case <-rd.stale: // a nil channel is never ready
		return false
	default:
		return true
	}
}

func (d *Dest) slotOf() *slot { return &d.slot }

// Path returns the logical name.
func (d *Dest) Path() dtab.Path { return d.path }

// Local returns the per-request dtab that the name is bound under.
func (d *Dest) Local() dtab.Dtab { return d.local }

// Options returns the settings of the logical name.
func (d *Dest) Options() ServiceOptions { return d.opts }

// Budget returns the retry budget of the logical name.
func (d *Dest) Budget() retry.Budget { return d.budget }

// newDest starts binding path. The interpreter keeps the binding up to date until
// the Dest retires; reading it is left to the requests, so that a name nobody
// asks for costs nothing when its binding changes.
func (r *Router) newDest(path dtab.Path, local dtab.Dtab) *Dest {
	d := &Dest{router: r, kept: true, path: path, local: local, opts: r.opts.Service(path)}
	d.budget = newBudget(d.opts.Budget)
	ctx, cancel := context.WithCancel(r.ctx)
	d.cancel = cancel
	d.binding = r.opts.Interpreter.Bind(ctx, local, path)
	return d
}

// Route returns what the name is bound to now. It waits only while nothing is
// known yet: until the name is bound and the endpoints of one branch are known,
// at most for the binding timeout. The error is a *weft.Error.
func (d *Dest) Route(ctx context.Context) (*Route, error) {
	if rd := d.cur.Load(); rd != nil && rd.fresh() {
		return rd.route, rd.err
	}
	return d.await(ctx)
}

func (d *Dest) await(ctx context.Context) (*Route, error) {
	var timeout <-chan time.Time
	for {
		rd, waits := d.read()
		if waits == nil {
			return rd.route, rd.err
		}
		if timeout == nil {
			t := time.NewTimer(d.router.opts.BindingTimeout)
			defer t.Stop()
			timeout = t.C
		}
		switch waitAny(ctx, timeout, waits) {
		case ctxEnded:
			return nil, &weft.Error{Stage: weft.StageBind, Dst: d.path, Unsent: true, Err: context.Cause(ctx)}
		case timedOut:
			e := &BindingTimeoutError{Timeout: d.router.opts.BindingTimeout, Path: d.path}
			if rd != nil && rd.route != nil {
				e.Tree = rd.route.String()
			}
			return nil, &weft.Error{Stage: weft.StageBind, Dst: d.path, Unsent: true, Err: e}
		case changed:
		}
	}
}

// read makes the current reading, or says what to wait for.
//
// A new route is served only once one of its branches can take requests. Until
// then the previous one goes on serving, so that a change of the dtab neither
// fails nor stalls anybody; without a previous one there is nothing but to wait.
func (d *Dest) read() (rd *reading, waits []<-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	rd = d.cur.Load()
	if rd != nil && rd.fresh() {
		return rd, nil
	}
	if d.coming == nil || !d.coming.fresh() {
		next, stale := d.next()
		if next == nil {
			return rd, []<-chan struct{}{stale}
		}
		d.coming.release()
		d.coming = next
	}
	waits = d.coming.unsettled()
	switch {
	case waits == nil:
		d.cur.Store(d.coming)
		rd.release()
		rd, d.coming = d.coming, nil
		return rd, nil
	case rd != nil && rd.route != nil:
		return rd, nil
	default:
		return d.coming, waits
	}
}

// unsettled returns what to wait for before the reading can be served.
func (rd *reading) unsettled() []<-chan struct{} {
	if rd.route == nil {
		return nil
	}
	waits := rd.route.unsettled()
	if waits != nil && rd.stale != nil {
		waits = append(waits, rd.stale)
	}
	return waits
}

// release gives back what the reading holds; a nil reading holds nothing.
func (rd *reading) release() {
	if rd != nil && rd.route != nil {
		rd.route.release()
	}
}

// next reads the binding; it returns nil and a channel to wait for while the
// binding is pending.
func (d *Dest) next() (*reading, <-chan struct{}) {
	st, stale := d.binding.Load()
	switch {
	case st.Known: // also when stale: the last good tree stays in use
		rd := &reading{stale: stale}
		switch st.Value.Op {
		case dtab.Leaf, dtab.Union:
			rd.route = d.newRoute(st.Value)
			d.bound()
		case dtab.Neg, dtab.Fail, dtab.Empty, dtab.Alt:
			rd.err = d.noHosts()
		}
		return rd, nil
	case st.Err != nil:
		return &reading{stale: stale, err: &weft.Error{Stage: weft.StageBind, Dst: d.path, Unsent: true, Err: st.Err}}, nil
	default:
		return nil, stale
	}
}

// bound creates the metrics of the name when it binds for the first time. Names
// that lead nowhere, which callers can invent at will, have none of their own.
func (d *Dest) bound() {
	if d.stats.Load() == nil {
		d.stats.Store(newServiceStats(d.router.opts.Metrics.Scope("service", trimSlash(d.path)), d))
	}
}

// Stats returns the counters of the logical name, those of all unbound names as
// long as it has never bound.
func (d *Dest) Stats() *serviceStats {
	if s := d.stats.Load(); s != nil {
		return s
	}
	return d.router.unbound
}

// Done gives the Dest back and records how the request ended: Latency is the time
// of the whole request with its retries.
func (d *Dest) Done(r weft.Result) {
	d.Stats().end(r)
	d.Release()
}

// Release gives the Dest back without recording anything.
func (d *Dest) Release() {
	if d.slot.refs.Add(-1) == 0 && !d.kept {
		d.retire()
	}
}

// retire ends the binding and gives the clients back.
func (d *Dest) retire() {
	d.retired.Do(func() {
		d.cancel()
		d.mu.Lock()
		defer d.mu.Unlock()
		d.cur.Load().release()
		d.coming.release()
		if s := d.stats.Load(); s != nil {
			s.scope.Prune()
		}
	})
}

func (d *Dest) noHosts() error {
	return &weft.Error{
		Stage: weft.StageBind, Dst: d.path, Unsent: true,
		Err: &NoHostsError{Path: d.path, Base: d.router.opts.Base, Local: d.local},
	}
}

type wake uint8

const (
	changed wake = iota
	ctxEnded
	timedOut
)

// waitAny waits for the first of several things to happen.
func waitAny(ctx context.Context, timeout <-chan time.Time, waits []<-chan struct{}) wake {
	if len(waits) == 1 {
		select {
		case <-waits[0]:
			return changed
		case <-ctx.Done():
			return ctxEnded
		case <-timeout:
			return timedOut
		}
	}
	cases := make([]reflect.SelectCase, 0, len(waits)+2)
	add := func(ch any) {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ch)})
	}
	add(ctx.Done())
	add(timeout)
	for _, w := range waits {
		add(w)
	}
	switch i, _, _ := reflect.Select(cases); i {
	case 0:
		return ctxEnded
	case 1:
		return timedOut
	default:
		return changed
	}
}
