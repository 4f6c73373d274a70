package consul

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/weft-mesh/weft/naming"
)

// spacing is the least time from the beginning of one blocking query to that of the
// next. What changes more often is seen in fewer steps.
const spacing = 20 * time.Millisecond

// errDoubtful says that an answer is to be asked for again, consistently.
var errDoubtful = errors.New("the answer may be from a server that is behind")

// watchTree follows everything below the path prefix. It says itself what goes wrong,
// and returns only when ctx has ended.
func (s *Store) watchTree(ctx context.Context, _ everything, set func(naming.State[*view])) error {
	f := &follower{s: s, set: set, confirm: s.cfg.ReadConsistencyMode != ConsistencyStale}
	d := newDelay(s.cfg.Backoff)
	for ctx.Err() == nil {
		began := time.Now()
		err := f.poll(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			d = newDelay(s.cfg.Backoff)
			sleep(ctx, spacing-time.Since(began))
		case errors.Is(err, errDoubtful):
			f.confirm, f.index = true, 0
		default:
			f.fail(err)
			f.confirm, f.index = s.cfg.ReadConsistencyMode != ConsistencyStale, 0
			d.wait(ctx)
		}
	}
	return ctx.Err()
}

// follower is what the watch of the tree knows.
type follower struct {
	s   *Store
	set func(naming.State[*view])

	view    *view
	index   uint64 // what the next query waits for; 0 does not wait
	confirm bool   // the next query is a consistent read, and believed
	said    string
}

// poll asks once, waiting for news if it knows what is old.
func (f *follower) poll(ctx context.Context) error {
	since := uint64(0)
	if f.view == nil {
		// The index of a key that is not there is that of the store's last write.
		ask, cancel := f.bounded(ctx, f.s.opts.Timeout)
		defer cancel()
		_, a, err := f.s.client.one(ask, f.s.history+".none", f.params())
		if err != nil {
			return because(ask, err)
		}
		since = a.index
	}
	params, limit := f.params(), f.s.opts.Timeout
	params.Set("recurse", "true")
	if f.index > 0 {
		params.Set("index", strconv.FormatUint(f.index, 10))
		params.Set("wait", strconv.FormatInt(f.s.opts.Wait.Milliseconds(), 10)+"ms")
		limit += f.s.opts.Wait + f.s.opts.Wait/16 // which the agent adds by itself
	}
	ask, cancel := f.bounded(ctx, limit)
	defer cancel()
	pairs, a, err := f.s.client.get(ask, f.s.dtabs, params)
	if err != nil {
		return because(ask, err)
	}
	found := make(map[string]pair, len(pairs))
	for _, p := range pairs {
		if ns := strings.TrimPrefix(p.Key, f.s.dtabs); readable(ns) {
			found[ns] = p
		}
	}
	if f.view != nil {
		// An index may go backwards because Consul forgets deletions after a while.
		if a.index < f.view.index && !f.confirm {
			return errDoubtful
		}
		if f.view.setBack(found, a.index) {
			if !f.confirm {
				return errDoubtful
			}
			f.s.opts.Logger.Warn("consul: the servers were set back to an earlier state", "index", a.index, "before", f.view.index)
			f.s.seq.setBack()
		}
	}
	if err := f.checkMissing(ask, found); err != nil {
		return because(ask, err)
	}
	of, err := f.s.seq.of(ask, f.s)
	if err != nil {
		return because(ask, err)
	}
	f.view = f.view.next(of, found, a.index, since, f.bad)
	f.confirm = false
	f.index = max(a.index, 1)
	f.publish(a.index)
	return nil
}

// checkMissing has namespaces that are missing from an answer confirmed: Consul says
// nothing of what it leaves out because the token may not see it, but does if a single
// key is asked for.
func (f *follower) checkMissing(ctx context.Context, found map[string]pair) error {
	if f.view == nil {
		if len(found) > 0 {
			return nil
		}
		return f.s.permitted(ctx)
	}
	for ns := range f.view.values {
		if _, ok := found[ns]; ok {
			continue
		}
		p, _, err := f.s.client.one(ctx, f.s.dtabs+ns, ConsistencyConsistent.params())
		if err == nil && p.ModifyIndex != 0 && !f.confirm {
			err = errDoubtful
		}
		return err // tokens are for prefixes: one says it for all
	}
	return nil
}

// params returns the parameters of the next query.
func (f *follower) params() url.Values {
	if f.confirm {
		return ConsistencyConsistent.params()
	}
	return f.s.cfg.ReadConsistencyMode.params()
}

func (f *follower) bounded(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %v", limit))
}

// because returns why ctx has ended if that is why something failed.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// bad says that a value cannot be used.
func (f *follower) bad(ns string, err error) {
	f.s.opts.Logger.Warn("consul: a value is not a dtab, what was before it holds", "namespace", ns, "err", err)
}

// publish reports what is known.
func (f *follower) publish(index uint64) {
	if f.said != "" {
		f.said = ""
		f.s.opts.Logger.Info("consul: is back", "agent", f.s.client.base)
	}
	f.set(naming.Ok(f.view).At(strconv.FormatUint(index, 10)))
}

// fail reports that there is no news.
func (f *follower) fail(err error) {
	err = failed("", err)
	if kind := kindOf(err); kind != f.said {
		f.said = kind
		f.s.opts.Logger.Warn("consul: "+kind, "agent", f.s.client.base, "err", err)
	}
	f.set(naming.Failed[*view](err))
}
