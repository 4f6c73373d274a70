package consul

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/weft-mesh/weft/naming"
)

const (
	// pollEvery is for answers without an index, which cannot be waited on.
	pollEvery = time.Second

	// spacing is the least time from the beginning of one blocking query to that of
	// the next. What changes more often is seen in fewer steps.
	spacing = 20 * time.Millisecond

	// grace is how much longer than asked for an agent may block. It adds up to a
	// sixteenth of the time by itself.
	grace = 10 * time.Second
)

// question is what a poll asks.
type question[T any] struct {
	path   string // escaped
	params url.Values
	mode   Consistency

	accepted []int // statuses that are answers

	// read returns what an answer says, and whether that is that there is nothing.
	read func(*http.Response) (v T, nothing bool, err error)

	minBackoff, maxBackoff time.Duration // zero is retry's default
}

// asking is one query of a poll.
type asking struct {
	index      uint64        // 0 does not block
	wait       time.Duration // for how long, if it blocks; set when it is asked
	epoch      uint64        // of the answer that the index is from; see pulse
	confirm    bool          // the answer is believed
	consistent bool          // with consistent reads whatever the mode
}

// reply is the answer to a query.
type reply[T any] struct {
	value   T
	nothing bool
	indexed bool // false if the answer had no index
	index   uint64
	epoch   uint64
}

// poll asks until ctx ends and hands on what it is told; see naming.Watcher for
// set.
func poll[T any](ctx context.Context, c *client, q question[T], set func(naming.State[T])) error {
	defer c.pulse.join()()
	defer c.turns.join()()
	trouble := newRetry(c, q.minBackoff, q.maxBackoff)
	defer trouble.over()
	b := belief{stale: q.mode == ConsistencyStale}
	var next asking
	for ctx.Err() == nil {
		began := time.Now()
		r, err := ask(ctx, c, q, &next)
		if ctx.Err() != nil {
			break
		}
		if errors.Is(err, errAgain) {
			continue
		}
		if errors.Is(err, errRestored) {
			next = asking{}
			continue
		}
		if errors.Is(err, errRejected) && r.indexed {
			set(naming.Failed[T](err))
			trouble.note(err)
			sleep(ctx, spacing-time.Since(began))
			next = asking{index: max(r.index, 1), epoch: r.epoch}
			continue
		}
		if err != nil {
			set(naming.Failed[T](err))
			next = asking{confirm: b.known && !b.stale, consistent: b.known && !b.stale}
			trouble.wait(ctx, err)
			continue
		}
		trouble.over()
		if again, doubtful := b.doubt(next, r.index, r.nothing, time.Since(began)); doubtful {
			if next.index != 0 && next.index == r.index && time.Since(began) < next.wait {
				sleep(ctx, pollEvery/4) // an agent that never blocks is not to be asked without pause
			}
			next = again
			continue
		}
		set(naming.Ok(r.value).At(strconv.FormatUint(r.index, 10)))
		b.known, b.index, b.nothing = true, r.index, r.nothing
		if !r.indexed {
			next = asking{}
			sleep(ctx, pollEvery-rand.N(pollEvery/4))
			continue
		}
		if next.index != 0 {
			sleep(ctx, spacing-time.Since(began))
		}
		// Index 0 would not block, and the agent would be asked without pause.
		next = asking{index: max(r.index, 1), epoch: r.epoch}
	}
	return ctx.Err()
}

// ask waits for its turn and asks once.
func ask[T any](ctx context.Context, c *client, q question[T], a *asking) (r reply[T], err error) {
	done, err := c.turns.take(ctx)
	if err != nil {
		return r, err
	}
	defer done()
	ctx, epoch, landed := c.pulse.track(ctx)
	defer landed()
	if r.epoch = epoch; a.epoch != epoch {
		a.index = 0
	}
	params := url.Values{}
	maps.Copy(params, q.params)
	limit := askTimeout
	if a.index != 0 {
		a.wait = c.turns.wait()
		params.Set("index", strconv.FormatUint(a.index, 10))
		params.Set("wait", strconv.FormatInt(a.wait.Milliseconds(), 10)+"ms")
		limit = a.wait + a.wait/16 + grace
	}
	switch {
	case a.consistent || q.mode == ConsistencyConsistent:
		params.Set("consistent", "true")
	case q.mode == ConsistencyStale:
		params.Set("stale", "true")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %v", limit))
	defer cancel()
	req, err := c.request(ctx, http.MethodGet, q.path, params, nil)
	if err != nil {
		return r, err
	}
	err = c.do(req, func(resp *http.Response) (err error) {
		if text := resp.Header.Get("X-Consul-Index"); text != "" {
			r.indexed = true
			if r.index, err = strconv.ParseUint(text, 10, 64); err != nil {
				return fmt.Errorf("%w: X-Consul-Index: %q: want a number", errGarbled, text)
			}
		}
		r.value, r.nothing, err = q.read(resp)
		return err
	}, q.accepted...)
	return r, err
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
