package circuit

import "time"

// counter counts the events of the last window, in whole slices. Times are since
// an epoch that its owner keeps; one that is older than the last counts as equal.
type counter struct {
	slice time.Duration
	tick  int64
	sums  []int64
}

func newCounter(window time.Duration, slices int) counter {
	return counter{slice: max(window/time.Duration(slices), 1), sums: make([]int64, slices)}
}

func (c *counter) add(since time.Duration) {
	c.turn(since)
	c.sums[c.tick%int64(len(c.sums))]++
}

func (c *counter) sum(since time.Duration) (n int64) {
	c.turn(since)
	for _, s := range c.sums {
		n += s
	}
	return n
}

func (c *counter) turn(since time.Duration) {
	now, size := int64(since/c.slice), int64(len(c.sums))
	if now <= c.tick {
		return
	}
	for t := max(c.tick, now-size) + 1; t <= now; t++ {
		c.sums[t%size] = 0
	}
	c.tick = now
}

func (c *counter) reset() {
	clear(c.sums)
	c.tick = 0
}
