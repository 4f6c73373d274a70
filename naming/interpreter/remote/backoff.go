package remote

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/weft-mesh/weft/naming"
)

// backoff is a delay that doubles. Each is shortened by a random part of up to a
// half, so that the proxies of a mesh do not come back all at once.
type backoff struct{ base, limit, now time.Duration }

func (b *backoff) next() time.Duration {
	b.now = min(max(2*b.now, b.base), b.limit)
	return b.now - rand.N(b.now/2+1)
}

func (b *backoff) reset() { b.now = 0 }

// pause waits for d, until ctx ends or until one of early fires.
func pause(ctx context.Context, d time.Duration, early ...<-chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	_ = naming.Any(ctx, early) // whichever it is
}
