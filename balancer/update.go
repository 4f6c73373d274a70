package balancer

import (
	"maps"
	"math"

	"github.com/weft-mesh/weft"
)

// Update makes set the balancer's set. Endpoints are told apart by Addr: handles
// of known ones are kept and told the new weight and metadata, new ones get a
// handle, and those that are missing leave. The picker is rebuilt only if
// membership or a share changed; a permutation changes nothing. Updates after
// Close are ignored.
func (b *Balancer) Update(set weft.EndpointSet) {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return
	}
	b.counters.updates.Add(1)
	gone, changed := b.apply(set)
	b.mu.Unlock()
	b.retire(gone)
	if changed {
		b.changed.Store(struct{}{})
	}
	b.settle()
}

// apply diffs set against the handles and returns those that left.
func (b *Balancer) apply(set weft.EndpointSet) (gone []*Endpoint, changed bool) {
	prev := b.snap.Load()
	all := make([]*Endpoint, 0, len(set.Endpoints))
	next := make(map[string]*Endpoint, len(set.Endpoints))
	for i := range set.Endpoints {
		info := &set.Endpoints[i]
		if next[info.Addr] != nil {
			continue
		}
		e := b.known[info.Addr]
		if e == nil {
			e = b.admit(info)
			b.counters.adds.Add(1)
			changed = true
		} else if e.inform(info) {
			changed = true
		}
		e.leaving.Store(false)
		next[info.Addr] = e
		all = append(all, e)
	}
	b.leaving = 0
	for _, e := range prev.all {
		switch {
		case next[e.addr] == e:
		case b.opts.Probation && !set.Neg && e.Status() == weft.Open:
			e.leaving.Store(true)
			b.leaving++
			next[e.addr] = e
			all = append(all, e)
		default:
			gone = append(gone, e)
		}
	}
	b.known = next
	b.counters.removes.Add(uint64(len(gone)))
	if changed = changed || len(gone) > 0; changed {
		b.install(all, prev)
	}
	b.dismiss(gone)
	return gone, changed
}

func (b *Balancer) install(all []*Endpoint, prev *snapshot) {
	b.snap.Store(b.newSnapshot(all, prev))
	b.counters.rebuilds.Add(1)
}

// admit returns a handle for an address that is not in the set: the one that is
// still finishing its work if there is one, otherwise a new one.
func (b *Balancer) admit(info *weft.Endpoint) *Endpoint {
	b.drainMu.Lock()
	old := b.draining[info.Addr]
	if old != nil && old.revive() {
		delete(b.draining, info.Addr)
	} else {
		old = nil
	}
	b.drainMu.Unlock()
	if old != nil {
		old.inform(info)
		return old
	}
	e := &Endpoint{addr: info.Addr, owner: b, token: b.opts.Rand.Uint64()}
	e.status.Store(uint32(weft.Open))
	e.lastPick.Store(b.now())
	e.inform(info)
	if b.opts.Attach != nil {
		e.Attachment = b.opts.Attach(e)
	}
	return e
}

// share returns the endpoint's weight.
func (e *Endpoint) share() float64 { return shareOf(*e.info.Load()) }

// shareOf guards the arithmetic against weights that are not numbers to
// calculate with: they count as the default.
func shareOf(i weft.Endpoint) float64 {
	s := i.Share()
	if math.IsNaN(s) || s > math.MaxFloat32 {
		return 1
	}
	return s
}

// inform stores what discovery says and reports whether the share changed.
func (e *Endpoint) inform(info *weft.Endpoint) bool {
	old := e.info.Load()
	if old != nil && old.Weight == info.Weight && old.Local == info.Local && maps.Equal(old.Meta, info.Meta) {
		return false
	}
	c := *info
	e.info.Store(&c)
	return old != nil && shareOf(*old) != shareOf(c)
}

// dismiss marks endpoints that the current snapshot does not have any more. It
// needs b.mu, so that the next update finds them and can take them back.
func (b *Balancer) dismiss(gone []*Endpoint) {
	b.drainMu.Lock()
	defer b.drainMu.Unlock()
	for _, e := range gone {
		b.draining[e.addr] = e
		e.work.Or(goneBit)
	}
}

// retire detaches what was dismissed and has no work left. It runs without b.mu
// because it calls the owner.
func (b *Balancer) retire(gone []*Endpoint) {
	for _, e := range gone {
		e.tryDetach()
	}
}

func (b *Balancer) detached(e *Endpoint) {
	b.drainMu.Lock()
	if b.draining[e.addr] == e {
		delete(b.draining, e.addr)
	}
	b.drainMu.Unlock()
	if b.opts.Detach != nil {
		b.opts.Detach(e)
	}
}

func (b *Balancer) statusChanged() {
	b.wanted.Add(1)
	b.settle()
}

func (b *Balancer) rebuildSoon() {
	b.force.Store(true)
	b.statusChanged()
}

// settle brings the snapshot in line with the statuses. It never waits for the
// lock: whoever holds that calls settle after letting go and sees the request.
func (b *Balancer) settle() {
	for b.done.Load() != b.wanted.Load() && b.mu.TryLock() {
		seen := b.wanted.Load()
		gone := b.review()
		b.done.Store(seen)
		b.mu.Unlock()
		b.retire(gone)
		b.changed.Store(struct{}{})
	}
}

// review recounts open endpoints, ends probations and rebuilds pickers that
// depend on statuses.
func (b *Balancer) review() (gone []*Endpoint) {
	s := b.snap.Load()
	if b.closed {
		return nil
	}
	aware, ok := b.opts.Policy.(StatusAware)
	rebuild := b.force.Swap(false) || ok && aware.RebuildOnStatus()
	all := s.all
	if b.leaving > 0 {
		all = make([]*Endpoint, 0, len(s.all))
		for _, e := range s.all {
			if e.leaving.Load() && e.Status() != weft.Open {
				gone = append(gone, e)
				delete(b.known, e.addr)
				continue
			}
			all = append(all, e)
		}
		b.leaving -= len(gone)
		b.counters.removes.Add(uint64(len(gone)))
	}
	if rebuild || len(gone) > 0 {
		b.install(all, s)
	} else {
		s.recount()
	}
	b.dismiss(gone)
	return gone
}
