package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/client"
	"github.com/weft-mesh/weft/naming"
)

type state = naming.State[namerd.Stored]

func TestWatch(t *testing.T) {
	w := newWorld(t)
	c := w.client(t, client.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	src := c.Watch(ctx, "graduation")
	until(t, src, func(s state) bool { return s.Known && !s.Value.Exists })

	v, err := w.store.Create(ctx, "graduation", dtab.MustParse("/a=>/b"), namerd.Note{})
	require.NoError(t, err)
	st := until(t, src, func(s state) bool { return s.Value.Exists })
	assert.Equal(t, namerd.Stored{Exists: true, Dtab: dtab.MustParse("/a=>/b"), Version: v}, st.Value)
	assert.Equal(t, client.ETag(v), st.Version)

	_, err = w.store.Put(ctx, "graduation", dtab.MustParse("/a=>/c"), namerd.Note{})
	require.NoError(t, err)
	until(t, src, func(s state) bool { return s.Value.Dtab.String() == "/a=>/c" })

	require.NoError(t, w.store.Delete(ctx, "graduation", "", namerd.Note{}))
	until(t, src, func(s state) bool { return s.Known && !s.Value.Exists })
	_, err = w.store.Create(ctx, "graduation", nil, namerd.Note{})
	require.NoError(t, err)
	until(t, src, func(s state) bool { return s.Value.Exists })

	texts := make([]string, 0, 2)
	for _, s := range c.Watches() {
		texts = append(texts, s.Watching)
	}
	assert.Equal(t, []string{"namespaces", "dtab graduation"}, texts)
	empty, stale := c.Watch(ctx, "").Load()
	require.ErrorIs(t, empty.Err, namerd.ErrInvalid)
	assert.Nil(t, stale)
}

func TestWatchNamespaces(t *testing.T) {
	w := newWorld(t)
	c := w.client(t, client.Options{})
	src := c.WatchNamespaces(t.Context())
	is := func(want ...string) func(naming.State[[]string]) bool {
		return func(s naming.State[[]string]) bool { return s.Known && assert.ObjectsAreEqual(want, s.Value) }
	}
	until(t, src, is("tlop", "yeezus"))
	_, err := w.store.Create(t.Context(), "graduation", nil, namerd.Note{})
	require.NoError(t, err)
	until(t, src, is("graduation", "tlop", "yeezus"))
	require.NoError(t, w.store.Delete(t.Context(), "tlop", "", namerd.Note{}))
	until(t, src, is("graduation", "yeezus"))
}

// TestWatchMissesNoDeletion: a namespace that is deleted so soon after it was made that
// the list never had it is seen to be gone, though no stream tells.
func TestWatchMissesNoDeletion(t *testing.T) {
	var gone atomic.Bool
	c := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Query().Get("watch") != "":
			_, _ = io.WriteString(w, "[]\n")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		case r.URL.Path == "/api/1/dtabs":
			_, _ = io.WriteString(w, "[]\n")
		case gone.Load():
			http.NotFound(w, r)
		default:
			w.Header().Set("ETag", "AAAAAAAAAAE=")
			_, _ = io.WriteString(w, "[]\n")
		}
	}), client.Options{})
	src := c.Watch(t.Context(), "brief")
	until(t, src, func(s state) bool { return s.Value.Exists })
	until(t, c.WatchNamespaces(t.Context()), func(s naming.State[[]string]) bool { return s.Known })
	time.Sleep(300 * time.Millisecond) // until what the streams began with has been read
	gone.Store(true)
	until(t, src, func(s state) bool { return s.Known && !s.Value.Exists })
}

// TestWatchAgreesWithTheStream: what was read between two items of a stream, and gone
// before the second, does not stay.
func TestWatchAgreesWithTheStream(t *testing.T) {
	var reads atomic.Int32
	c := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/api/1/dtabs":
			_, _ = io.WriteString(w, "[\"ns\"]\n")
		case r.URL.Query().Get("watch") == "" && reads.Add(1) <= 4:
			_, _ = io.WriteString(w, "[{\"prefix\":\"/a\",\"dst\":\"/passing\"}]\n")
		default:
			_, _ = io.WriteString(w, "[]\n")
		}
		if r.URL.Query().Get("watch") != "" {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	}), client.Options{})
	src := c.Watch(t.Context(), "ns")
	until(t, src, func(s state) bool { return s.Value.Exists && len(s.Value.Dtab) == 1 })
	until(t, src, func(s state) bool { return s.Value.Exists && len(s.Value.Dtab) == 0 })
}

// TestWatchWithoutStreams: a namerd that has no streams to give is read now and then.
func TestWatchWithoutStreams(t *testing.T) {
	w := newWorld(t)
	c := open(t, serve(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("watch") != "" {
			http.Error(rw, "too many watches", http.StatusServiceUnavailable)
			return
		}
		w.api.ServeHTTP(rw, r)
	}), client.Options{})
	src, list := c.Watch(t.Context(), "yeezus"), c.WatchNamespaces(t.Context())
	until(t, src, func(s state) bool { return s.Value.Exists && s.Err != nil })
	until(t, list, func(s naming.State[[]string]) bool { return len(s.Value) == 2 && s.Err != nil })
	require.NoError(t, w.store.Delete(t.Context(), "yeezus", "", namerd.Note{}))
	until(t, src, func(s state) bool { return s.Known && !s.Value.Exists })
	until(t, list, func(s naming.State[[]string]) bool { return len(s.Value) == 1 })
}

// TestWatchThroughOutage: what was known holds while the namerd is away, and what
// changed meanwhile is seen when it is back.
func TestWatchThroughOutage(t *testing.T) {
	w := newWorld(t)
	c := w.client(t, client.Options{})
	src := c.Watch(t.Context(), "yeezus")
	until(t, src, func(s state) bool { return s.Value.Exists })

	addr := w.http.Listener.Addr().String()
	w.http.Listener.Close()
	w.http.CloseClientConnections()
	s := until(t, src, func(s state) bool { return s.Err != nil })
	assert.True(t, s.Known)
	assert.True(t, s.Value.Exists)
	_, err := w.store.Put(t.Context(), "yeezus", dtab.MustParse("/a=>/b"), namerd.Note{})
	require.NoError(t, err)

	again := httptest.NewUnstartedServer(w.api)
	ln, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	again.Listener.Close()
	again.Listener = ln
	again.Start()
	t.Cleanup(func() { again.CloseClientConnections(); again.Close() })
	s = until(t, src, func(s state) bool { return s.Value.Dtab.String() == "/a=>/b" && s.Err == nil })
	assert.True(t, s.Known)
}

// TestWatchMovesToTheOther: with two namerds the death of one is a short gap.
func TestWatchMovesToTheOther(t *testing.T) {
	w := newWorld(t)
	second := httptest.NewServer(w.api)
	t.Cleanup(func() { second.CloseClientConnections(); second.Close() })
	c := open(t, w.http.URL+","+second.URL, client.Options{})
	src := c.Watch(t.Context(), "yeezus")
	until(t, src, func(s state) bool { return s.Value.Exists })
	w.http.Listener.Close()
	w.http.CloseClientConnections()
	_, err := w.store.Put(t.Context(), "yeezus", dtab.MustParse("/a=>/b"), namerd.Note{})
	require.NoError(t, err)
	until(t, src, func(s state) bool { return s.Value.Dtab.String() == "/a=>/b" })
}

// TestStreamSaysWhatIsWrong is vector 37: an error in a stream that has begun is text.
func TestStreamSaysWhatIsWrong(t *testing.T) {
	c := open(t, serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "[\"a\"]\nthe store is away\n") }), client.Options{})
	var items []string
	err := c.Stream(t.Context(), client.Request{Path: "dtabs"}, func(item json.RawMessage) error {
		items = append(items, string(item))
		return nil
	})
	require.EqualError(t, err, "namerd says: the store is away")
	assert.Equal(t, []string{`["a"]`}, items)
	enough := fmt.Errorf("enough")
	err = c.Stream(t.Context(), client.Request{Path: "dtabs"}, func(json.RawMessage) error { return enough })
	require.ErrorIs(t, err, enough)
}

func TestEdit(t *testing.T) {
	w := newWorld(t)
	c := w.client(t, client.Options{})
	const editors, edits = 8, 5
	var all sync.WaitGroup
	for i := range editors {
		all.Go(func() {
			for k := range edits {
				rule := dtab.MustParse(fmt.Sprintf("/e%d => /n%d", i, k))
				st, err := c.Edit(t.Context(), "yeezus", func(d dtab.Dtab) (dtab.Dtab, error) { return d.Concat(rule), nil })
				if assert.NoError(t, err) {
					assert.Contains(t, st.Dtab.String(), rule.String())
				}
			}
		})
	}
	all.Wait()
	st, err := w.store.Get(t.Context(), "yeezus")
	require.NoError(t, err)
	assert.Len(t, st.Dtab, 1+editors*edits)

	same, err := c.Edit(t.Context(), "yeezus", func(d dtab.Dtab) (dtab.Dtab, error) { return d, nil })
	require.NoError(t, err)
	assert.Equal(t, st.Version, same.Version, "nothing is written")
	no := fmt.Errorf("no")
	_, err = c.Edit(t.Context(), "yeezus", func(dtab.Dtab) (dtab.Dtab, error) { return nil, no })
	require.ErrorIs(t, err, no)
}
