// Package bells wakes the watches of stores that are in this process.
package bells

import "sync"

// Bells wake the watches of what was written. The keys are those of the watches, of
// which there is at most one at a time. The zero Bells are ready for use, concurrently.
type Bells struct {
	mu   sync.Mutex
	hung map[any]chan struct{}
}

// Hang returns a channel that has a value when the key was written since the last one
// was received. leave takes it down.
func (b *Bells) Hang(key any) (rung <-chan struct{}, leave func()) {
	c := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hung == nil {
		b.hung = map[any]chan struct{}{}
	}
	b.hung[key] = c
	return c, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.hung, key)
	}
}

// Ring says that the key was written.
func (b *Bells) Ring(key any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.hung[key]; c != nil {
		select {
		case c <- struct{}{}:
		default: // it has not been heard yet
		}
	}
}
