package tlsfiles

import (
	"os"
	"sync"
	"time"
)

// cached is a value made of files, made again when one of them has changed.
type cached[T any] struct {
	files []string
	make  func() (T, error)

	mu    sync.Mutex
	seen  []stamp
	value T
}

type stamp struct {
	modified time.Time
	size     int64
}

// get returns the value. A change that leads to an error is reported and tried
// again the next time.
func (c *cached[T]) get() (T, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := make([]stamp, len(c.files))
	changed := c.seen == nil
	for i, f := range c.files {
		if info, err := os.Stat(f); err == nil {
			now[i] = stamp{info.ModTime(), info.Size()}
		}
		changed = changed || now[i] != c.seen[i]
	}
	if !changed {
		return c.value, nil
	}
	v, err := c.make()
	if err != nil {
		var none T
		return none, err
	}
	c.value, c.seen = v, now
	return v, nil
}
