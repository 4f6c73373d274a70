package naming_test

import (
	"context"
	"sync"
	"testing/synctest"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// probe is a Watcher that tests drive: it counts what runs and hands out set.
type probe struct {
	mu      sync.Mutex
	running map[string]int
	starts  map[string][]time.Time
	set     map[string]func(naming.State[int])
	end     map[string]chan error
	slow    time.Duration // how long a Watch takes to end when it is cancelled
	twice   bool          // two watches of one key ran at once
}

func newProbe() *probe {
	return &probe{
		running: map[string]int{}, starts: map[string][]time.Time{},
		set: map[string]func(naming.State[int]){}, end: map[string]chan error{},
	}
}

func (p *probe) begins(key string, set func(naming.State[int])) (end chan error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running[key]++
	p.twice = p.twice || p.running[key] > 1
	p.starts[key] = append(p.starts[key], time.Now())
	p.set[key], p.end[key] = set, make(chan error)
	return p.end[key]
}

func (p *probe) ends(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running[key]--
}

// follow is a FollowFunc whose reports come by way of a Source.
func (p *probe) follow(_ context.Context, key string) (read func(set func(naming.State[int])) []<-chan struct{}, end func()) {
	var source weft.Var[naming.State[int]]
	p.begins(key, func(s naming.State[int]) {
		source.Store(s)
		synctest.Wait()
	})
	return func(set func(naming.State[int])) []<-chan struct{} {
			s, stale := source.Load()
			set(s)
			return []<-chan struct{}{stale}
		}, func() {
			time.Sleep(p.slow)
			p.ends(key)
		}
}

func (p *probe) Watch(ctx context.Context, key string, set func(naming.State[int])) error {
	end := p.begins(key, set)
	defer p.ends(key)
	select {
	case <-ctx.Done():
		time.Sleep(p.slow)
		return ctx.Err()
	case err := <-end:
		return err
	}
}

func (p *probe) report(key string, s naming.State[int]) {
	p.mu.Lock()
	set := p.set[key]
	p.mu.Unlock()
	set(s)
}

func (p *probe) stop(key string, err error) {
	p.mu.Lock()
	end := p.end[key]
	p.mu.Unlock()
	end <- err
}

func (p *probe) started(key string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.starts[key])
}

func (p *probe) overlapped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.twice
}

func (p *probe) runs(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running[key] > 0
}
