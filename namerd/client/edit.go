package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// errNoVersion is why an update without a version is refused here: namerd would make
// it whatever there is.
var errNoVersion = errors.New("no version is given")

// Edit replaces the dtab of a namespace by what change makes of it, and returns what
// is stored then. If somebody else has changed it meanwhile, change is called again
// with what there is now. Nothing is written if change returns an error, which Edit
// returns, or the rules that there were. namerd.ErrMissing if there is no such
// namespace.
func (c *Client) Edit(ctx context.Context, namespace string, change func(dtab.Dtab) (dtab.Dtab, error)) (namerd.Stored, error) {
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		old, err := c.Get(ctx, namespace)
		if err != nil {
			return namerd.Stored{}, err
		}
		if !old.Exists {
			return namerd.Stored{}, &namerd.Error{Is: namerd.ErrMissing, Namespace: namespace}
		}
		d, err := change(old.Dtab)
		if err != nil || d.Equal(old.Dtab) {
			return old, err
		}
		v, err := c.Update(ctx, namespace, d, old.Version)
		if err == nil {
			return namerd.Stored{Exists: true, Dtab: d, Version: v}, nil
		}
		if !errors.Is(err, namerd.ErrMismatch) || old.Version == "" {
			return namerd.Stored{}, err
		}
		select {
		case <-time.After(wait/2 + rand.N(wait)):
		case <-ctx.Done():
			return namerd.Stored{}, errors.Join(context.Cause(ctx), err)
		}
	}
}
