package remote

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// patience is how long a name of which nothing is known waits for something newer
// than what a namerd says that is behind.
const patience = 3 * time.Second

// keeper keeps a name from going back when another namerd is asked: an old tree does
// not replace a newer one. If nothing is known of the name, an old tree is taken for
// want of anything else, after a while.
type keeper struct {
	ctx     context.Context
	publish func(naming.State[dtab.Tree[*naming.Bound]])
	wg      sync.WaitGroup

	mu     sync.Mutex // guards what follows and the order of publish
	known  bool       // there was a tree that was not old
	taken  bool       // there was an old one, for want of another
	forget context.CancelFunc
}

func newKeeper(ctx context.Context, publish func(naming.State[dtab.Tree[*naming.Bound]])) *keeper {
	return &keeper{ctx: ctx, publish: publish, forget: func() {}}
}

// close forgets an old tree that was not taken yet.
func (k *keeper) close() {
	k.mu.Lock()
	k.forget()
	k.mu.Unlock()
	k.wg.Wait()
}

// set publishes what a namerd says of the name, as far as it is to be believed.
func (k *keeper) set(st naming.State[dtab.Tree[*naming.Bound]]) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forget()
	if _, old := errors.AsType[*OlderError](st.Err); !old || !st.Known {
		k.known = k.known || st.Known
		k.publish(st)
		return
	}
	if k.taken && !k.known {
		k.publish(st) // an old one for an older one
		return
	}
	k.publish(naming.Failed[dtab.Tree[*naming.Bound]](st.Err))
	if k.known {
		return
	}
	ctx, cancel := context.WithCancel(k.ctx)
	k.forget = cancel
	k.wg.Go(func() {
		defer cancel()
		pause(ctx, patience)
		k.mu.Lock()
		defer k.mu.Unlock()
		if ctx.Err() == nil {
			k.taken = true
			k.publish(st)
		}
	})
}
