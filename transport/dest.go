package transport

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/retry"
)

// Dest is a logical name under a per-request dtab: its binding, and the retry
// budget and metrics of the name. It comes from Router.Dest with a reference
// taken, which stands for one request; Done or Release gives it back. Routes and
// picks of a Dest may be used until then. It is safe for concurrent use.
type Dest struct {
	slot    slot
	kept    bool // in the cache; a one-shot is retired with its last reference
	router  *Router
	path    dtab.Path
	local   dtab.Dtab
	begun   sync.Once
	service *service

	// cur is the reading that requests use; mu serialises making a new one, which
	// is coming as long as its endpoints are not known yet.
	cur     atomic.Pointer[reading]
	mu      sync.Mutex
	binding weft.Source[naming.State[dtab.Tree[*naming.Bound]]] // nil before the first request
	cancel  context.CancelFunc
	coming  *reading
	retired bool
}

func (d *Dest) slotOf() *slot { return &d.slot }

// Path returns the logical name.
func (d *Dest) Path() dtab.Path { return d.path }

// Local returns the per-request dtab that the name is bound under.
func (d *Dest) Local() dtab.Dtab { return d.local }

// Options returns the settings of the logical name.
func (d *Dest) Options() ServiceOptions { return d.service.opts }

// Budget returns the retry budget of the logical name.
func (d *Dest) Budget() retry.Budget { return d.service.policy.Budget }

// Policy returns how requests to the logical name are retried, with metrics, as
// retry.Do takes it.
func (d *Dest) Policy() retry.Policy { return d.service.policy }

// begin makes the Dest ready for use, once.
func (d *Dest) begin() { d.begun.Do(func() { d.service = d.router.joinService(d) }) }

// Route returns what the name is bound to now. It waits only while nothing is
// known yet: until the name is bound and one branch has endpoints (or none will
// have any), at most for the binding timeout. The error is a *weft.Error.
func (d *Dest) Route(ctx context.Context) (*Route, error) {
	if rd := d.cur.Load(); rd != nil && rd.fresh() {
		return rd.route, rd.err
	}
	return d.await(ctx)
}

// Ready is Route without the waiting: ok is false if there is something to wait for,
// or something to be read anew, and then Route is to be asked where waiting is
// allowed.
func (d *Dest) Ready() (t *Route, err error, ok bool) {
	if rd := d.cur.Load(); rd != nil && rd.fresh() {
		return rd.route, rd.err, true
	}
	return nil, nil, false
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
		switch waitAny(ctx, timeout, append(waits, d.router.ctx.Done())) {
		case ctxEnded:
			return nil, d.failure(context.Cause(ctx))
		case timedOut:
			e := &BindingTimeoutError{Timeout: d.router.opts.BindingTimeout, Path: d.path}
			switch {
			case rd == nil:
			case rd.unanswered != nil:
				e.Cause = rd.unanswered
				d.giveUp(rd, e)
			default:
				e.Tree = rd.route.String()
			}
			return nil, d.failure(e)
		case changed:
		}
	}
}

// read makes the current reading, or says what to wait for. A reading that comes
// with something to wait for is the one whose endpoints are not known yet.
func (d *Dest) read() (rd *reading, waits []<-chan struct{}) {
	rd, waits, dropped := d.advance()
	for _, t := range dropped {
		t.release(true) // without the lock, since it may end clients
	}
	return rd, waits
}

// advance is read under the lock.
//
// A new route is served only once one of its branches can take requests. Until
// then the previous one goes on serving, so that a change of the dtab neither
// fails nor stalls anybody; without a previous one there is nothing but to wait.
func (d *Dest) advance() (rd *reading, waits []<-chan struct{}, dropped []*Route) {
	d.mu.Lock()
	defer d.mu.Unlock()
	rd = d.cur.Load()
	if rd != nil && rd.fresh() {
		return rd, nil, nil
	}
	if d.retired || d.router.ctx.Err() != nil {
		return d.closed(), nil, nil
	}
	if d.binding == nil {
		d.bind()
	}
	newest := d.coming
	if newest == nil {
		newest = rd
	}
	if newest == nil || !newest.fresh() {
		st, stale := d.binding.Load()
		next := d.next(newest, st, stale)
		if next == nil {
			return nil, []<-chan struct{}{stale}, nil
		}
		dropped = d.coming.replacedBy(next, dropped)
		d.coming = next
	}
	if rd == nil || rd.route != d.coming.route {
		waits = d.coming.unsettled()
	}
	if rd == nil && d.coming.unanswered != nil {
		// Whoever knows the name could not be asked yet, at the start of one of the two for
		// example: it is as good as pending.
		waits = []<-chan struct{}{d.coming.stale}
	}
	switch {
	case waits == nil:
		dropped = rd.replacedBy(d.coming, dropped)
		rd, d.coming = d.coming, nil
		d.cur.Store(rd)
		return rd, nil, dropped
	case rd != nil && rd.route != nil:
		return rd, nil, dropped
	default:
		return d.coming, waits, dropped
	}
}

// giveUp has later requests fail at once, for as long as the name cannot be asked
// for: one that has waited for the whole binding timeout is enough.
func (d *Dest) giveUp(rd *reading, e *BindingTimeoutError) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.coming == rd && d.cur.Load() == nil && !d.retired {
		d.cur.Store(&reading{stale: rd.stale, err: d.failure(e)})
		d.coming = nil
	}
}

// replacedBy appends the route of rd to dropped unless next has it too.
func (rd *reading) replacedBy(next *reading, dropped []*Route) []*Route {
	if rd == nil || rd.route == nil || rd.route == next.route {
		return dropped
	}
	return append(dropped, rd.route)
}

// bind starts binding the name. The interpreter keeps the binding up to date until
// the Dest retires; reading it is left to the requests, so that a name nobody asks
// for costs nothing when its binding changes.
func (d *Dest) bind() {
	ctx, cancel := context.WithCancel(d.router.ctx)
	d.cancel = cancel
	d.binding = d.router.opts.Interpreter.Bind(ctx, d.local, d.path)
}

// next turns the state of the binding into the reading that follows last. It
// returns nil while the name is pending. A name that was bound stays so, whatever
// becomes of its binding, and one that failed is not pending again.
func (d *Dest) next(last *reading, st naming.State[dtab.Tree[*naming.Bound]], stale <-chan struct{}) *reading {
	switch {
	case st.Known: // also when stale: the last good tree stays in use
		if last != nil && last.named && sameTree(last.tree, st.Value) {
			return last.until(stale)
		}
		rd := &reading{tree: st.Value, named: true, stale: stale}
		switch st.Value.Op {
		case dtab.Leaf, dtab.Union:
			rd.route = d.newRoute(st.Value)
			d.service.bound()
		case dtab.Neg, dtab.Fail, dtab.Empty, dtab.Alt:
			rd.err = d.noHosts()
		}
		return rd
	case last != nil && (last.named || st.Err == nil):
		return last.until(stale)
	case st.Err != nil:
		rd := &reading{stale: stale, err: d.failure(st.Err)}
		if u, ok := errors.AsType[*naming.UnansweredError](st.Err); ok && stale != nil {
			rd.unanswered = u.Err
		}
		return rd
	default:
		return nil
	}
}

// Record counts a request to the logical name that ended with r; r.Latency is the
// time of the whole request with its retries.
func (d *Dest) Record(r weft.Result) { d.service.current().end(r) }

// Done is Record and Release.
func (d *Dest) Done(r weft.Result) {
	d.Record(r)
	d.Release()
}

// Release gives the Dest back. The Dest must not be used after it.
func (d *Dest) Release() {
	d.router.dests.touch(&d.slot)
	if d.slot.refs.Add(-1) == 0 && !d.kept {
		d.retire()
	}
}

// retire ends the binding and gives the clients back.
func (d *Dest) retire() {
	d.begin() // it may have been dropped between being made and being begun
	d.mu.Lock()
	if d.retired {
		d.mu.Unlock()
		return
	}
	d.retired = true
	if d.cancel != nil {
		d.cancel()
	}
	last := d.closed()
	dropped := d.coming.replacedBy(last, nil)
	dropped = d.cur.Swap(last).replacedBy(last, dropped)
	d.coming = nil
	d.mu.Unlock()
	for _, t := range dropped {
		t.release(false)
	}
	d.service.leave(d)
}

// closed is the reading of a Dest that has retired.
func (d *Dest) closed() *reading { return &reading{err: d.failure(ErrClosed)} }

func (d *Dest) noHosts() error {
	return d.failure(&NoHostsError{Path: d.path, Base: d.router.opts.Base, Local: d.local})
}

func (d *Dest) failure(err error) error {
	return &weft.Error{Stage: weft.StageBind, Dst: d.path, Unsent: true, Err: err}
}
