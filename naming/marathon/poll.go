package marathon

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// minBackoff is the delay after the first failure. It doubles up to the TTL.
const minBackoff = 200 * time.Millisecond

// errNoApp is in the chain of the error of an app that is not there any more. It
// is the list that says so with effect.
var errNoApp = errors.New("there is no such app")

func (n *Namer) listPath() string { return "/v2/apps" }

// watchList is the naming.Watcher of the list of apps.
func (n *Namer) watchList(ctx context.Context, path string, set func(naming.State[appIDs])) error {
	said := newComplaints()
	return poll(ctx, n, func() (appIDs, string, error) {
		body, err := n.client.get(ctx, path)
		if err != nil {
			return nil, "", err
		}
		ids, bad, err := decodeList(body)
		n.skipped.Add(said.note(n.opts.Logger, path, bad))
		if err != nil {
			return nil, "", fmt.Errorf("marathon: GET %s%s: %w", n.client.base, path, err)
		}
		return ids, "", nil
	}, set)
}

// watchApp is the naming.Watcher of the endpoints of an app.
func (n *Namer) watchApp(ctx context.Context, id dtab.Path, set func(naming.State[weft.EndpointSet])) error {
	var tasks weft.Var[naming.State[[]target]]
	var polling sync.WaitGroup
	defer polling.Wait()
	polling.Go(func() {
		_ = n.pollApp(ctx, id, func(s naming.State[[]target]) { // ends with ctx only
			if last, _ := tasks.Load(); !s.Known {
				s.Value, s.Known, s.Version = last.Value, last.Known, last.Version
			}
			tasks.Store(s)
		})
	})
	f := follower{resolve: n.opts.Resolve, tasks: &tasks, set: set, hosts: map[hostPort]host{}}
	return f.run(ctx)
}

func (n *Namer) pollApp(ctx context.Context, id dtab.Path, set func(naming.State[[]target])) error {
	var path strings.Builder
	path.WriteString(n.listPath())
	for e := range id.Elems() {
		path.WriteString("/" + url.PathEscape(e))
	}
	path.WriteString("?embed=app.tasks")
	said := newComplaints()
	return poll(ctx, n, func() ([]target, string, error) {
		body, err := n.client.get(ctx, path.String())
		if s, ok := errors.AsType[*StatusError](err); ok && s.Status == http.StatusNotFound {
			return nil, "", fmt.Errorf("%w: %w", errNoApp, err)
		}
		if err != nil {
			return nil, "", err
		}
		a, err := decodeApp(body, id, n.cfg.UseHealthCheck)
		n.skipped.Add(said.note(n.opts.Logger, id.String(), a.bad))
		if err != nil {
			return nil, "", fmt.Errorf("marathon: GET %s%s: %w", n.client.base, path.String(), err)
		}
		return a.targets, a.version, nil
	}, set)
}

// poll asks again and again until ctx ends.
func poll[T any](ctx context.Context, n *Namer, ask func() (T, string, error), set func(naming.State[T])) error {
	trouble := n.troubles.watch()
	defer trouble.over()
	backoff := minBackoff
	for ctx.Err() == nil {
		v, version, err := ask()
		if ctx.Err() != nil {
			break
		}
		trouble.note(err)
		delay := n.delay()
		if err != nil {
			set(naming.Failed[T](err))
			delay = min(delay, backoff-rand.N(backoff/2))
			backoff = min(2*backoff, max(*n.cfg.TTL, minBackoff))
		} else {
			set(naming.Ok(v).At(version))
			backoff = minBackoff
		}
		sleep(ctx, delay)
	}
	return ctx.Err()
}

// delay returns the time to the next question.
func (n *Namer) delay() time.Duration {
	d := *n.cfg.TTL
	if j := *n.cfg.Jitter; j > 0 {
		d += rand.N(2*j) - j
	}
	return max(d, leastDelay)
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
