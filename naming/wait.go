package naming

import (
	"context"

	"github.com/weft-mesh/weft/internal/signals"
)

// Any waits until one of stale is closed and returns nil, or until ctx ends
// and returns its cause. Nil channels never fire; with nothing but nil channels
// it waits for ctx.
//
// It is the wait of whoever derives a value from several Sources: collect the
// stale channels while reading, wait for Any, read again.
func Any(ctx context.Context, stale []<-chan struct{}) error { return signals.Any(ctx, stale) }
