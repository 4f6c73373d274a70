package client

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/namerdhttp"
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
// Stored. That the same rules were written again, as another version, may be seen half
// a minute late. Concurrent watches of a namespace share their connections.
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
// it streams has no version, and does not tell of deletions, but the list of
// namespaces does. A stream does not tell of what came and went between two of its
// items either, but a read may have seen just that; so it is read again until it
// agrees with what was told.
func (c *Client) watchDtab(ctx context.Context, key watched, set func(naming.State[namerd.Stored])) error {
	path, err := inDtabs(string(key))
	if err != nil {
		return err
	}
	name := Escape(string(key))
	list := c.lists.Observe(ctx, everything{})
	return follow(ctx, c, path, namerdhttp.ParseDtab, func(ctx context.Context, told weft.Source[*dtab.Dtab]) error {
		for soon := rereadMin; ; {
			d, newDtab := told.Load()
			l, newList := list.Load()
			s, err := c.Get(ctx, string(key))
			if err != nil {
				return err
			}
			set(naming.Ok(s).At(ETag(s.Version)))
			agreed := (!l.Known || slices.Contains(l.Value, name) == s.Exists) && (!s.Exists || d != nil && d.Equal(s.Dtab))
			wait := recheck
			if !agreed {
				wait, soon = soon, min(2*soon, recheck)
			}
			news, err := waitForNews(ctx, wait, newDtab, newList)
			if err != nil {
				return err
			}
			if agreed || news {
				soon = rereadMin
			}
		}
	})
}

// watchList publishes what is streamed. Now and then it makes sure that the stream
// has not died without a sign.
func (c *Client) watchList(ctx context.Context, _ everything, set func(naming.State[[]string])) error {
	known := false
	err := follow(ctx, c, "dtabs", parseNames, func(ctx context.Context, told weft.Source[*[]string]) error {
		for {
			names, newList := told.Load()
			if names != nil {
				known = true
				set(naming.Ok(*names))
			}
			news, err := waitForNews(ctx, recheck, newList)
			if err != nil {
				return err
			}
			if news {
				continue
			}
			now, err := c.List(ctx)
			if err != nil {
				return err
			}
			if slices.Sort(now); names == nil || !slices.Equal(now, *names) {
				return errSilent
			}
		}
	})
	if known || err == nil || ctx.Err() != nil {
		return err
	}
	// A namerd that has no streams to give can still be asked.
	names, failed := c.List(ctx)
	if failed != nil {
		return err
	}
	slices.Sort(names)
	set(naming.Ok(names))
	return err
}

var errSilent = errors.New("the stream did not tell what has changed")

func parseNames(b []byte) ([]string, error) {
	var names []string
	err := json.Unmarshal(b, &names)
	slices.Sort(names)
	return names, err
}

// follow calls do with the latest item of a stream, nil before the first one. The
// context that do has ends with the stream.
func follow[T any](
	ctx context.Context, c *Client, path string, parse func([]byte) (T, error), do func(context.Context, weft.Source[*T]) error,
) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var latest weft.Var[*T]
	var streams sync.WaitGroup
	defer streams.Wait()
	defer cancel(nil)
	streams.Go(func() {
		started := time.Now()
		err := c.Stream(ctx, watch(path), func(b json.RawMessage) error {
			item, err := parse(b)
			if err != nil {
				return nonsense("an item of "+path, err)
			}
			latest.Store(&item)
			return nil
		})
		// A namerd that refuses streams but can be read is not asked all the time.
		select {
		case <-time.After(time.Until(started.Add(minStream))):
		case <-ctx.Done():
		}
		cancel(&endedError{err})
	})
	err := do(ctx, &latest)
	if e, ok := errors.AsType[*endedError](context.Cause(ctx)); ok {
		return e.err // nil if it ended in order, which is no news
	}
	return err
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
