package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// attempt is how an attempt to connect ended.
type attempt struct {
	peer string
	s    Session
	err  error
}

// connect returns a session with one of the endpoints, or nil once the link is
// closed. It tries the endpoints in turn, the next one as soon as one has failed,
// and beside one that hangs; after all have failed it waits a little.
func (l *link) connect() (Session, string) {
	ctx, cancel := context.WithCancel(l.ctx)
	var attempts sync.WaitGroup
	defer attempts.Wait()
	defer cancel()
	ended := make(chan attempt)
	failed := 0 // since the last wait
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-next.C:
			e, ok := l.choose(ctx)
			if !ok {
				return nil, ""
			}
			attempts.Go(func() { l.try(ctx, e, ended) })
			next.Reset(hedge)
		case a := <-ended:
			if a.err == nil {
				return a.s, a.peer
			}
			l.down(fmt.Errorf("%s: %w", a.peer, a.err))
			st, _ := l.endpoints.Load()
			if failed++; failed < len(usable(st)) {
				next.Reset(0)
			} else {
				failed = 0
				next.Reset(l.redial.next())
			}
		case <-ctx.Done():
			return nil, ""
		}
	}
}

// try makes one attempt. A session that nobody waits for any more is closed.
func (l *link) try(ctx context.Context, e weft.Endpoint, ended chan<- attempt) {
	limited, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	a := attempt{peer: e.Addr}
	a.s, a.err = l.open(limited, Peer{Endpoint: e, dial: l.opts.Dial, tls: l.conf.TLS})
	if a.err != nil && limited.Err() != nil && ctx.Err() == nil {
		a.err = fmt.Errorf("no answer within %s: %w", openTimeout, a.err)
	}
	select {
	case ended <- a:
	case <-ctx.Done():
		if a.err == nil {
			_ = a.s.Close()
		}
	}
}

// choose returns the endpoint whose turn it is, once there are any, and false when
// ctx has ended.
func (l *link) choose(ctx context.Context) (weft.Endpoint, bool) {
	for {
		st, stale := l.endpoints.Load()
		if peers := usable(st); len(peers) > 0 {
			l.turn++
			return peers[l.turn%len(peers)], true
		}
		l.down(whyNoEndpoints(st))
		select {
		case <-stale:
		case <-ctx.Done():
			return weft.Endpoint{}, false
		}
	}
}

func whyNoEndpoints(st naming.State[weft.EndpointSet]) error {
	switch {
	case st.Pending():
		return errors.New("dst is not bound yet")
	case !st.Known:
		return fmt.Errorf("dst is not bound: %w", st.Err)
	case st.Value.Neg:
		return errors.New("dst names nothing")
	default:
		return errors.New("dst has no endpoints")
	}
}
