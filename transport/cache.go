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
	used atomic.Int64 // the cache's tick when it was last used
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

// Shards are as many as leave each of them values enough to choose a victim among.
const (
	maxShards = 32
	perShard  = 32
)

// cache is a bounded map of values that are built on first use. Values in use
// are never dropped: when the cache is full and nothing is idle the new value is
// a one-shot, retired by whoever releases it last. The victim is the least
// recently used idle value of the shard that the new one goes to, so that what is
// used again and again outlives what a caller invents. (If shards took turns in
// giving one up, their sizes would drift apart, and what is in a small one would
// not be safe.)
//
// Look-ups take a read lock of one of several shards, nothing else.
type cache[K comparable, V cached] struct {
	seed  maphash.Seed
	cap   int64
	size  atomic.Int64
	tick  atomic.Int64  // moves with each miss and each sweep
	swept int64         // tick of the last sweep; only sweep uses it
	shard []shard[K, V] // a power of two of them
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
	n := 1
	for n < maxShards && n*2*perShard <= capacity {
		n *= 2
	}
	c := &cache[K, V]{seed: maphash.MakeSeed(), cap: int64(capacity), shard: make([]shard[K, V], n)}
	for i := range c.shard {
		c.shard[i].m = map[K]V{}
	}
	return c
}

// touch marks a value as used. It writes only when something changes, so that a
// hot value stays shared between the cores' caches.
func (c *cache[K, V]) touch(s *slot) {
	if now := c.tick.Load(); s.used.Load() < now {
		s.used.Store(now)
	}
}

// get returns the value for k with one reference taken, building it if need be.
// build runs under the shard's lock: it makes the value and starts nothing. kept
// is false for a one-shot, which the caller must retire after the last release.
func (c *cache[K, V]) get(k K, build func() V) (v V, kept bool) {
	at := int(maphash.Comparable(c.seed, k) & uint64(len(c.shard)-1))
	sh := &c.shard[at]
	sh.RLock()
	v, ok := sh.m[k]
	if ok {
		v.slotOf().refs.Add(1) // under the lock, so that eviction sees it
		sh.RUnlock()
		c.touch(v.slotOf())
		return v, true
	}
	sh.RUnlock()

	c.stats.Misses.Add(1)
	c.tick.Add(1)
	if c.size.Add(1) > c.cap && !c.evict(at) {
		c.size.Add(-1)
		return c.oneShot(build), false
	}
	sh.Lock()
	defer sh.Unlock()
	if v, ok = sh.m[k]; ok { // somebody else was faster
		c.size.Add(-1)
		v.slotOf().refs.Add(1)
		c.touch(v.slotOf())
		return v, true
	}
	if sh.closed {
		c.size.Add(-1)
		return c.oneShot(build), false
	}
	v = build()
	v.slotOf().refs.Add(1)
	c.touch(v.slotOf())
	sh.m[k] = v
	return v, true
}

func (c *cache[K, V]) oneShot(build func() V) V {
	c.stats.OneShots.Add(1)
	v := build()
	v.slotOf().refs.Add(1)
	return v
}

// evict drops one idle value and reports whether there was one. It looks in the
// shard at the given place first.
func (c *cache[K, V]) evict(at int) bool {
	for i := range c.shard {
		if v, ok := c.shard[(at+i)%len(c.shard)].evict(); ok {
			c.size.Add(-1)
			c.stats.Evicts.Add(1)
			v.retire()
			return true
		}
	}
	return false
}

func (sh *shard[K, V]) evict() (victim V, ok bool) {
	sh.Lock()
	defer sh.Unlock()
	var key K
	for k, v := range sh.m {
		s := v.slotOf()
		if s.refs.Load() == 0 && (!ok || s.used.Load() < victim.slotOf().used.Load()) {
			key, victim, ok = k, v, true
		}
	}
	if ok {
		delete(sh.m, key)
	}
	return victim, ok
}

// sweep drops every idle value that was not used since the previous sweep, so
// that with a sweep every TTL an idle value lives between one and two TTLs. Sweeps
// must not overlap.
func (c *cache[K, V]) sweep() {
	var gone []V
	since := c.swept
	c.swept = c.tick.Add(1)
	for i := range c.shard {
		sh := &c.shard[i]
		sh.Lock()
		for k, v := range sh.m {
			if s := v.slotOf(); s.refs.Load() == 0 && s.used.Load() < since {
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
