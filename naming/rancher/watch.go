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

	// spacing is the least time from one question about the version to the next, for
	// services that do not wait.
	spacing = time.Second

	// initial is the version of who has none.
	initial = "initial"
)

// watch is the naming.Watcher of the list of containers.
func (n *Namer) watch(ctx context.Context, _ string, set func(naming.State[services])) error {
	w := watcher{n: n, version: initial, seed: maphash.MakeSeed()}
	failing, backoff := "", minBackoff
	for ctx.Err() == nil {
		began := time.Now()
		all, err := w.next(ctx)
		if ctx.Err() != nil {
			break
		}
		if kind := kindOf(err); kind != failing {
			switch {
			case err != nil:
				n.opts.Logger.Warn("rancher fails, what was known holds; will go on asking", "kind", kind, "err", err)
			default:
				n.opts.Logger.Info("rancher no longer fails", "url", n.client.base)
			}
			failing = kind
		}
		if err != nil {
			set(naming.Failed[services](err))
			sleep(ctx, backoff-rand.N(backoff/2))
			backoff = min(2*backoff, maxBackoff)
			continue
		}
		backoff = minBackoff
		set(naming.Ok(all).At(w.version))
		sleep(ctx, spacing-time.Since(began))
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
