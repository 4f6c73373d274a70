package transport

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// slot is the bookkeeping of one cached value. A value is idle while nobody
// holds a reference to it.
type slot struct {
	refs atomic.Int64
	used atomic.Uint32 // usedSinceEvict | usedSinceSweep
}

const (
	usedSinceEvict = 1 << iota
	usedSinceSweep
)

// touch marks the slot as used. It writes only when something changes, so that
// a hot value stays shared between the cores' caches.
func (s *slot) touch() {
	if s.used.Load() != usedSinceEvict|usedSinceSweep {
		s.used.Store(usedSinceEvict | usedSinceSweep)
	}
}

// cached is a value that a cache can hold. retire is called once, without locks
// of the cache held, when the cache has let go of an idle value.
type cached interface {
	slotOf() *slot
	retire()
}

// CacheStats counts what happened to one cache of a Router; the names are those
// of Linkerd's bindcache metrics. It is safe for concurrent use.
type CacheStats struct {
	Misses   atomic.Int64 // look-ups that had to build a value
	Evicts   atomic.Int64 // idle values dropped to make room
	Expires  atomic.Int64 // values dropped because they were idle too long
	OneShots atomic.Int64 // values built and not kept, because no value was idle
}

const shards = 32

// cache is a bounded map of values that are built on first use. Values in use
// are never dropped: when the cache is full and nothing is idle the new value is
// a one-shot, retired by whoever releases it last. Victims are chosen by the
// clock algorithm (second chance), which keeps what is used again and again and
// drops what a caller invented once.
//
// Look-ups take a read lock of one of several shards, nothing else.
type cache[K comparable, V cached] struct {
	seed  maphash.Seed
	cap   int64
	size  atomic.Int64
	hand  atomic.Uint32
	shard [shards]shard[K, V]
	stats CacheStats
}

type shard[K comparable, V cached] struct {
	sync.RWMutex
	m      map[K]V
	closed bool // nothing is kept any more
	_      [24]byte
	// The padding keeps neighbouring locks off one cache line.
}

func newCache[K comparable, V cached](capacity int) *cache[K, V] {
	c := &cache[K, V]{seed: maphash.MakeSeed(), cap: int64(capacity)}
	for i := range c.shard {
		c.shard[i].m = map[K]V{}
	}
	return c
}

// get returns the value for k with one reference taken, building it if need be.
// build runs under the shard's lock: it makes the value and starts nothing. kept
// is false for a one-shot, which the caller must retire after the last release.
func (c *cache[K, V]) get(k K, build func() V) (v V, kept bool) {
	sh := &c.shard[maphash.Comparable(c.seed, k)%shards]
	sh.RLock()
	v, ok := sh.m[k]
	if ok {
		v.slotOf().refs.Add(1) // under the lock, so that eviction sees it
		sh.RUnlock()
		v.slotOf().touch()
		return v, true
	}
	sh.RUnlock()

	c.stats.Misses.Add(1)
	if c.size.Add(1) > c.cap && !c.evict() {
		c.size.Add(-1)
		return c.oneShot(build), false
	}
	sh.Lock()
	defer sh.Unlock()
	if v, ok = sh.m[k]; ok { // somebody else was faster
		c.size.Add(-1)
		v.slotOf().refs.Add(1)
		v.slotOf().touch()
		return v, true
	}
	if sh.closed {
		c.size.Add(-1)
		return c.oneShot(build), false
	}
	v = build()
	v.slotOf().refs.Add(1)
	// Not usedSinceEvict: of names that come once and names that come again, the
	// former go first.
	v.slotOf().used.Store(usedSinceSweep)
	sh.m[k] = v
	return v, true
}

func (c *cache[K, V]) oneShot(build func() V) V {
	c.stats.OneShots.Add(1)
	v := build()
	v.slotOf().refs.Add(1)
	return v
}

// evict drops one idle value and reports whether there was one. Idle values used
// since the hand last passed get a second chance; one of them goes if there is
// no better victim.
func (c *cache[K, V]) evict() bool {
	start := c.hand.Add(1)
	for _, mercy := range [...]bool{true, false} {
		spared := false
		for i := range uint32(shards) {
			v, ok, again := c.evictFrom(&c.shard[(start+i)%shards], mercy)
			if ok {
				c.size.Add(-1)
				c.stats.Evicts.Add(1)
				v.retire()
				return true
			}
			spared = spared || again
		}
		if !spared {
			return false
		}
	}
	return false
}

func (c *cache[K, V]) evictFrom(sh *shard[K, V], mercy bool) (victim V, ok, spared bool) {
	sh.Lock()
	defer sh.Unlock()
	for k, v := range sh.m {
		s := v.slotOf()
		if s.refs.Load() > 0 {
			continue
		}
		if mercy && s.used.Load()&usedSinceEvict != 0 {
			s.used.And(^uint32(usedSinceEvict))
			spared = true
			continue
		}
		delete(sh.m, k)
		return v, true, spared
	}
	return victim, false, spared
}

// sweep drops every idle value that was not touched since the previous sweep, so
// that with a sweep every TTL an idle value lives between one and two TTLs.
func (c *cache[K, V]) sweep() {
	var gone []V
	for i := range c.shard {
		sh := &c.shard[i]
		sh.Lock()
		for k, v := range sh.m {
			s := v.slotOf()
			switch {
			case s.used.Load()&usedSinceSweep != 0:
				s.used.And(^uint32(usedSinceSweep))
			case s.refs.Load() == 0:
				delete(sh.m, k)
				gone = append(gone, v)
			}
		}
		sh.Unlock()
	}
	c.size.Add(-int64(len(gone)))
	c.stats.Expires.Add(int64(len(gone)))
	for _, v := range gone {
		v.retire()
	}
}

// drain drops everything, whether in use or not. From then on get returns
// one-shots.
func (c *cache[K, V]) drain() {
	for i := range c.shard {
		sh := &c.shard[i]
		sh.Lock()
		m := sh.m
		sh.m, sh.closed = map[K]V{}, true
		sh.Unlock()
		c.size.Add(-int64(len(m)))
		for _, v := range m {
			v.retire()
		}
	}
}

// values returns what the cache holds now, in no order.
func (c *cache[K, V]) values() []V {
	var all []V
	for i := range c.shard {
		sh := &c.shard[i]
		sh.RLock()
		for _, v := range sh.m {
			all = append(all, v)
		}
		sh.RUnlock()
	}
	return all
}
