package transport

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// thing is a value for caches.
type thing struct {
	slot
	name    int
	retired int
}

func (x *thing) slotOf() *slot { return &x.slot }
func (x *thing) retire()       { x.retired++ }

func fetch(c *cache[int, *thing], name int) (*thing, bool) {
	return c.get(name, func() *thing { return &thing{name: name} })
}

func use(c *cache[int, *thing], name int) *thing {
	x, _ := fetch(c, name)
	x.refs.Add(-1)
	return x
}

func TestCacheDropsLeastRecentlyUsed(t *testing.T) {
	c := newCache[int, *thing](3)
	one, two, three := use(c, 1), use(c, 2), use(c, 3)
	assert.Same(t, one, use(c, 1))
	use(c, 4)
	assert.Equal(t, []int{0, 1, 0}, []int{one.retired, two.retired, three.retired})
	assert.Same(t, one, use(c, 1))
	use(c, 5)
	assert.Equal(t, []int{0, 1, 1}, []int{one.retired, two.retired, three.retired})
	assert.EqualValues(t, 3, c.size.Load())
	assert.EqualValues(t, 2, c.stats.Evicts.Load())
	assert.EqualValues(t, 5, c.stats.Misses.Load())
}

func TestCacheKeepsWhatIsHeld(t *testing.T) {
	c := newCache[int, *thing](2)
	one, kept := fetch(c, 1)
	assert.True(t, kept)
	two, _ := fetch(c, 2)
	three, kept := fetch(c, 3)
	assert.False(t, kept)
	other, kept := fetch(c, 3)
	assert.False(t, kept)
	assert.NotSame(t, three, other, "one-shots are not shared")
	one.refs.Add(-1)
	_, kept = fetch(c, 4)
	assert.True(t, kept)
	assert.Equal(t, 1, one.retired)
	assert.Zero(t, two.retired+three.retired)
	assert.EqualValues(t, 2, c.stats.OneShots.Load())
}

// TestCacheKeepsRegulars: a stream of new names does not push out what is used every
// now and then, whichever shard it is in.
func TestCacheKeepsRegulars(t *testing.T) {
	const regulars = 100
	c := newCache[int, *thing](1000)
	assert.Len(t, c.shard, 16)
	var regular []*thing
	for i := range regulars {
		regular = append(regular, use(c, -1-i))
	}
	for i := range 100_000 {
		use(c, i)
		if i%2 == 0 { // each of them every 200 new names
			use(c, -1-i/2%regulars)
		}
	}
	for _, x := range regular {
		assert.Zero(t, x.retired, "regular %d", x.name)
	}
	assert.EqualValues(t, 1000, c.size.Load())
	assert.Len(t, c.values(), 1000)
}

func TestCacheSweep(t *testing.T) {
	c := newCache[int, *thing](10)
	idle, again := use(c, 1), use(c, 2)
	held, _ := fetch(c, 3)
	c.sweep()
	assert.Zero(t, idle.retired, "it was used since the start")
	assert.Same(t, again, use(c, 2))
	c.sweep()
	assert.Equal(t, []int{1, 0, 0}, []int{idle.retired, again.retired, held.retired})
	c.touch(&held.slot)
	held.refs.Add(-1)
	c.sweep()
	assert.Equal(t, []int{1, 1, 0}, []int{idle.retired, again.retired, held.retired})
	c.sweep()
	assert.Equal(t, 1, held.retired)
	assert.Zero(t, c.size.Load())
	assert.EqualValues(t, 3, c.stats.Expires.Load())
}

func TestCacheDrain(t *testing.T) {
	c := newCache[int, *thing](10)
	idle := use(c, 1)
	held, _ := fetch(c, 2)
	c.drain()
	c.drain()
	assert.Equal(t, []int{1, 1}, []int{idle.retired, held.retired})
	_, kept := fetch(c, 1)
	assert.False(t, kept)
	assert.Empty(t, c.values())
	assert.Zero(t, c.size.Load())
}

// TestCacheConcurrently checks the counts after many goroutines have used a cache
// that is too small for them.
func TestCacheConcurrently(t *testing.T) {
	const capacity = 64
	c := newCache[int, *thing](capacity)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 5000 {
				name := (i*7 + g*13) % 200
				x, kept := fetch(c, name)
				if x.name != name || x.refs.Load() < 1 {
					t.Errorf("got %d for %d", x.name, name)
				}
				c.touch(&x.slot)
				if x.refs.Add(-1) == 0 && !kept {
					x.retire()
				}
				if i%500 == 0 && g == 0 {
					c.sweep()
				}
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, len(c.values()), c.size.Load())
	assert.LessOrEqual(t, len(c.values()), capacity)
	for _, x := range c.values() {
		assert.Zero(t, x.refs.Load())
		assert.Zero(t, x.retired)
	}
}

func TestRegistry(t *testing.T) {
	var r registry[int, *thing]
	build := func() *thing { return &thing{} }
	drop := func(x *thing) { x.retired++ }
	one := r.take(1, build)
	assert.Same(t, one, r.take(1, build))
	assert.NotSame(t, one, r.take(2, build))
	r.give(1, drop)
	assert.Zero(t, one.retired)
	r.give(1, drop)
	assert.Equal(t, 1, one.retired)
	assert.NotSame(t, one, r.take(1, build))
	n := 0
	r.each(func(*thing) { n++ })
	assert.Equal(t, 2, n)
}
