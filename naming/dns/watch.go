package dns

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// watch is the naming.Watcher of the addresses of a host.
func (n *Namer) watch(ctx context.Context, key hostPort, set func(naming.State[weft.EndpointSet])) error {
	h := &host{name: key.host}
	t := newTrouble(n.ask.o, key.String())
	for ctx.Err() == nil {
		ttl, absent, err := n.ask.refresh(ctx, h)
		if ctx.Err() != nil {
			break
		}
		wait := min(max(ttl, n.c.MinTTL), n.c.MaxTTL)
		switch addrs := h.addrs(); {
		case absent && ttl == forever: // no question was worth asking
			set(naming.Ok(weft.EndpointSet{Neg: true}))
			wait = n.c.MaxTTL
		case absent:
			set(naming.Ok(weft.EndpointSet{Neg: true}))
		case err == nil:
			set(naming.Ok(weft.EndpointSet{Endpoints: endpointsAt(addrs, key.port)}))
		case len(addrs) > 0:
			err = fmt.Errorf("dns: %w", err)
			set(naming.State[weft.EndpointSet]{Value: weft.EndpointSet{Endpoints: endpointsAt(addrs, key.port)}, Known: true, Err: err})
		default:
			err = fmt.Errorf("dns: %w", err)
			set(naming.Failed[weft.EndpointSet](err))
		}
		pause(ctx, t.delay(err, wait))
	}
	return ctx.Err()
}

func endpointsAt(addrs []netip.Addr, port uint16) []weft.Endpoint {
	eps := make([]weft.Endpoint, len(addrs))
	for i, a := range addrs {
		eps[i].Addr = netip.AddrPortFrom(a, port).String()
	}
	return eps
}

// trouble is the back-off of a name that cannot be asked for, and says so once.
type trouble struct {
	o       Options
	log     *slog.Logger
	backoff time.Duration
	said    bool
}

func newTrouble(o Options, name string) *trouble {
	return &trouble{o: o, log: o.Logger.With("name", name), backoff: o.MinBackoff}
}

// delay returns when to ask again after a question that came to err and would be
// asked again after wait otherwise.
func (t *trouble) delay(err error, wait time.Duration) time.Duration {
	if err == nil {
		if t.said {
			t.log.Info("dns: the name can be asked for again")
		}
		t.backoff, t.said = t.o.MinBackoff, false
		return wait
	}
	if !t.said {
		t.log.Warn("dns: a name cannot be asked for", "err", err)
		t.said = true
	}
	d := t.backoff - rand.N(t.backoff/2+1)
	t.backoff = min(2*t.backoff, t.o.MaxBackoff)
	return min(d, wait)
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
