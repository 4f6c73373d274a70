package client

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

// watched is a namespace that is watched, and everything the list of them. Their texts
// are those of the status.
type (
	watched    string
	everything struct{}
)

// String names what is watched.
func (w watched) String() string { return "dtab " + string(w) }

// String names what is watched.
func (everything) String() string { return "namespaces" }

// recheck is how often what is watched is read without any news, in case that a
// connection has died without a sign.
const recheck = 30 * time.Second

// rereadMin is how soon something is read again that does not fit together.
const rereadMin = 100 * time.Millisecond

// minStream is the least time between the beginnings of two streams.
const minStream = time.Second

// Watch observes a namespace until ctx ends or the client is closed, as
// namerd.Reader's Observe does: it does not block, connects again when the namerd is
// lost, and what was known holds meanwhile. A namespace that is not there is the zero
// Stored. Concurrent watches of a namespace share their connections.
func (c *Client) Watch(ctx context.Context, namespace string) weft.Source[naming.State[namerd.Stored]] {
	if namespace == "" {
		return weft.Const[naming.State[namerd.Stored]]{V: naming.Failed[namerd.Stored](errNoNamespace)}
	}
	return c.dtabs.Observe(ctx, watched(namespace))
}

// WatchNamespaces observes List until ctx ends or the client is closed.
func (c *Client) WatchNamespaces(ctx context.Context) weft.Source[naming.State[[]string]] {
	return c.lists.Observe(ctx, everything{})
}

// watchDtab reads the dtab whenever the namerd says that there is something new: what
// it streams has no version. It does not tell of deletions, but the list of
// namespaces does.
func (c *Client) watchDtab(ctx context.Context, key watched, set func(naming.State[namerd.Stored])) error {
	path, err := inDtabs(string(key))
	if err != nil {
		return err
	}
	list := c.lists.Observe(ctx, everything{})
	return c.follow(ctx, path, list, func(ctx context.Context) (settled bool, err error) {
		s, err := c.Get(ctx, string(key))
		if err != nil {
			return false, err
		}
		set(naming.Ok(s).At(ETag(s.Version)))
		// What was made and deleted in a moment may never have been in the list, and its
		// deletion is then told by nobody.
		l, _ := list.Load()
		return !l.Known || slices.Contains(l.Value, Escape(string(key))) == s.Exists, nil
	})
}

func (c *Client) watchList(ctx context.Context, _ everything, set func(naming.State[[]string])) error {
	never := weft.Const[naming.State[[]string]]{}
	return c.follow(ctx, "dtabs", never, func(ctx context.Context) (settled bool, err error) {
		names, err := c.List(ctx)
		if err == nil {
			slices.Sort(names)
			set(naming.Ok(names))
		}
		return true, err
	})
}

// follow calls read now, whenever the stream of path or list says that there is
// something new, and now and then, until one of them fails. While what was read is not
// settled it is read again soon, and less and less often.
func (c *Client) follow(
	ctx context.Context, path string, list weft.Source[naming.State[[]string]], read func(context.Context) (settled bool, err error),
) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var news weft.Var[struct{}]
	var streams sync.WaitGroup
	defer streams.Wait()
	defer cancel(nil)
	streams.Go(func() {
		started := time.Now()
		err := c.Stream(ctx, watch(path), func(json.RawMessage) error {
			news.Store(struct{}{})
			return nil
		})
		// A namerd that refuses streams but can be read is not asked all the time.
		select {
		case <-time.After(time.Until(started.Add(minStream))):
		case <-ctx.Done():
		}
		cancel(&endedError{err})
	})
	for soon := rereadMin; ; {
		_, told := news.Load()
		_, listed := list.Load()
		settled, err := read(ctx)
		if err != nil {
			return whyEnded(ctx, err)
		}
		wait := recheck
		if !settled {
			wait, soon = soon, min(2*soon, recheck)
		}
		isNews, err := waitForNews(ctx, wait, told, listed)
		if err != nil {
			return whyEnded(ctx, err)
		}
		if settled || isNews {
			soon = rereadMin
		}
	}
}

func watch(path string) Request {
	return Request{Path: path, Query: map[string][]string{"watch": {"true"}}, Header: acceptJSON()}
}

// waitForNews waits for one of signals and returns true, or until the time is over.
func waitForNews(ctx context.Context, d time.Duration, signals ...<-chan struct{}) (bool, error) {
	timed, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	err := naming.Any(timed, signals)
	if err != nil && ctx.Err() != nil {
		return false, err
	}
	return err == nil, nil
}

// endedError is the cause of the end of a watch whose stream has ended.
type endedError struct{ err error }

// Error implements error.
func (e *endedError) Error() string {
	if e.err == nil {
		return "the stream has ended"
	}
	return e.err.Error()
}

// Unwrap returns why the stream ended.
func (e *endedError) Unwrap() error { return e.err }

// whyEnded is what a watch returns that failed with err: nil if its stream ended in
// order, which is no news.
func whyEnded(ctx context.Context, err error) error {
	if e, ok := errors.AsType[*endedError](context.Cause(ctx)); ok {
		return e.err
	}
	return err
}
