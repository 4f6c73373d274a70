package k8s

import "sync"

// attempts counts what runs until its owner ends it. The transport of net/http dials in
// goroutines of its own, so that one may begin while the owner waits already.
type attempts struct {
	mu    sync.Mutex
	ended bool
	wg    sync.WaitGroup
}

// begin runs f in a goroutine, unless the end has come.
func (a *attempts) begin(f func()) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return false
	}
	a.wg.Go(f)
	return true
}

// end lets nothing begin any more and waits for what has.
func (a *attempts) end() {
	a.mu.Lock()
	a.ended = true
	a.mu.Unlock()
	a.wg.Wait()
}
