package tlsfiles

import (
	"os"
	"sync"
)

// cached is a value made of files, made again when one of them has changed.
type cached[T any] struct {
	files []string
	make  func() (T, error)

	mu    sync.Mutex
	seen  []os.FileInfo // of what value was made of; nil for a file that was not there
	value T
}

// same reports whether two looks at a path saw the same content. The file behind
// the path counts too: a link may have been turned to one that is as old and as
// long.
func same(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// get returns the value. A change that leads to an error is reported and tried
// again the next time.
func (c *cached[T]) get() (T, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := make([]os.FileInfo, len(c.files))
	changed := c.seen == nil
	for i, f := range c.files {
		if info, err := os.Stat(f); err == nil {
			now[i] = info
		}
		changed = changed || !same(now[i], c.seen[i])
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
