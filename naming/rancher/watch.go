package rancher

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"net/url"
	"strconv"
	"time"

	"github.com/weft-mesh/weft/naming"
)

const (
	// minBackoff is the delay after the first failure. It doubles up to maxBackoff.
	minBackoff = 200 * time.Millisecond
	maxBackoff = 5 * time.Second

	// spacing is the least time from one question about the version to the next, and
	// impatience the one for a service that gives the same version without waiting.
	spacing    = 100 * time.Millisecond
	impatience = time.Second

	// initial is the version of who has none.
	initial = "initial"
)

// watch is the naming.Watcher of the list of containers.
func (n *Namer) watch(ctx context.Context, _ string, set func(naming.State[services])) error {
	w := watcher{n: n, version: initial, seed: maphash.MakeSeed()}
	said, backoff := map[string]bool{}, minBackoff // kinds of trouble since the last good answer
	for ctx.Err() == nil {
		began, before := time.Now(), w.version
		all, err := w.next(ctx)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			if kind := kindOf(err); !said[kind] {
				said[kind] = true
				n.opts.Logger.Warn("rancher fails, what was known holds; will go on asking", "kind", kind, "err", err)
			}
			set(naming.Failed[services](err))
			w.restart()
			sleep(ctx, backoff-rand.N(backoff/2))
			backoff = min(2*backoff, maxBackoff)
			continue
		}
		if len(said) > 0 {
			clear(said)
			n.opts.Logger.Info("rancher no longer fails", "url", n.client.base)
		}
		backoff = minBackoff
		set(naming.Ok(all).At(w.version))
		least := spacing
		if w.version == before {
			least = impatience
		}
		sleep(ctx, least-time.Since(began))
	}
	return ctx.Err()
}

// watcher is what a watch knows of the metadata.
type watcher struct {
	n       *Namer
	version string // of the list
	all     services

	seed maphash.Seed
	told map[uint64]bool // the malformed containers of the list
}

// restart forgets the version: a service that was away may give old versions to new
// lists, and what it says now is wanted at once.
func (w *watcher) restart() { w.version, w.all = initial, nil }

// next waits for another version, or for the time that the service waits at most,
// and returns the list that holds then.
func (w *watcher) next(ctx context.Context) (services, error) {
	c, wait := w.n.client, w.n.cfg.MaxWait
	path := "/version?wait=true&maxWait=" + strconv.Itoa(int(wait/time.Second)) + "&value=" + url.QueryEscape(w.version)
	body, err := c.get(ctx, path, "text/plain", wait)
	if err != nil {
		return nil, err
	}
	version, err := decodeVersion(body)
	if err != nil {
		return nil, fmt.Errorf("rancher: GET %s%s: %w", c.base, path, err)
	}
	if version == w.version && w.all != nil {
		return w.all, nil
	}
	if body, err = c.get(ctx, "/containers", "application/json", 0); err != nil {
		return nil, err
	}
	all, bad, err := decodeContainers(body)
	w.note(bad)
	if err != nil {
		return nil, fmt.Errorf("rancher: GET %s/containers: %w", c.base, err)
	}
	w.version, w.all = version, all
	return all, nil
}

// note counts and tells of the containers that are malformed and were not so before.
func (w *watcher) note(bad []malformed) {
	told := make(map[uint64]bool, len(bad))
	for _, m := range bad {
		sum := maphash.Bytes(w.seed, m.raw)
		if !w.told[sum] && !told[sum] {
			w.n.skipped.Add(1)
			w.n.opts.Logger.Warn("left out a container that cannot be understood", "name", m.name, "err", m.err)
		}
		told[sum] = true
	}
	w.told = told
}

// kindOf tells errors apart that are worth a line of the log each.
func kindOf(err error) string {
	if err == nil {
		return ""
	}
	if s, ok := errors.AsType[*StatusError](err); ok {
		return fmt.Sprintf("status %d", s.Status)
	}
	if errors.Is(err, errGarbled) {
		return "content"
	}
	return "connection"
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
