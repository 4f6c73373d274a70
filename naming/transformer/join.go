package transformer

import (
	"context"
	"sync"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// joins owns the goroutines of what is derived from two Sources.
type joins struct {
	ctx    context.Context // ends with close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	closed bool
}

func newJoins() *joins {
	j := &joins{}
	j.ctx, j.cancel = context.WithCancel(context.Background())
	return j
}

// enter counts a goroutine, unless close was called.
func (j *joins) enter() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return false
	}
	j.wg.Add(1)
	return true
}

// close ends the goroutines and waits for them. What was joined stands still.
func (j *joins) close() {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	j.cancel()
	j.wg.Wait()
}

// join returns a Source whose value is f of the values of a and b, kept up to date
// until ctx ends. A channel that is closed when either of two others is takes a
// goroutine, so it costs one if both can change. a is read before b.
func join[A, B, U any](ctx context.Context, j *joins, a weft.Source[A], b weft.Source[B], f func(A, B) U) weft.Source[U] {
	va, sa := a.Load()
	vb, sb := b.Load()
	switch {
	case sa == nil:
		return naming.Derive(b, func(vb B) U { return f(va, vb) })
	case sb == nil:
		return naming.Derive(a, func(va A) U { return f(va, vb) })
	case ctx.Err() != nil || !j.enter():
		return weft.Const[U]{V: f(va, vb)}
	}
	out := weft.NewVar(f(va, vb))
	go func() {
		defer j.wg.Done()
		for sa != nil || sb != nil {
			select {
			case <-sa:
			case <-sb:
			case <-ctx.Done():
				return
			case <-j.ctx.Done():
				return
			}
			va, sa = a.Load()
			vb, sb = b.Load()
			out.Store(f(va, vb))
		}
	}()
	return out
}
