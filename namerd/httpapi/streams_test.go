package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/httpapi"
	"github.com/weft-mesh/weft/naming"
)

// TestDuplicates is vector 5.
func TestDuplicates(t *testing.T) {
	f := newFickle(t)
	list := weft.NewVar(naming.Ok([]string{}))
	f.list = list
	s := serve(t, f, httpapi.Options{})
	l := s.stream(t, "/api/1/dtabs?watch=true")
	assert.Equal(t, "[]", line(t, l))
	list.Store(naming.Ok([]string{"hello"}))
	assert.Equal(t, `["hello"]`, line(t, l))
	list.Store(naming.Ok([]string{"hello"}))
	list.Store(naming.State[[]string]{}) // pending again
	list.Store(naming.State[[]string]{Value: []string{"hello"}, Known: true, Err: errAway})
	list.Store(naming.Ok([]string{"hello"}))
	list.Store(naming.Ok([]string{"goodbye"}))
	assert.Equal(t, `["goodbye"]`, line(t, l))
}

// TestFailures is vector 37: what is bound to nothing but a failure ends the stream,
// what has been bound holds.
func TestFailures(t *testing.T) {
	state := weft.NewVar(naming.Failed[dtab.Tree[naming.Name]](errors.New("error")))
	id := dtab.MustPath("/#/n/web")
	s := serve(t, newFickle(t), httpapi.Options{}, under(func(context.Context, dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
		return state
	}))
	l := s.stream(t, "/api/1/bind/default?path=/svc/web&watch=true")
	b, err := io.ReadAll(l)
	require.NoError(t, err)
	assert.Equal(t, "error\n", string(b))
	for _, path := range []string{"/api/1/bind/default?path=/svc/web", "/api/1/resolve/default?path=/svc/web", "/api/1/addr/default?path=/%23/n/web"} {
		a := s.get(t, path)
		assert.Equal(t, http.StatusInternalServerError, a.status, path)
		assert.Equal(t, "error", a.body, path)
	}
	// Endpoints that cannot be had may be had later: the stream goes on.
	addrs := s.stream(t, "/api/1/addr/default?path=/%23/n/web&watch=true")
	assert.Equal(t, `{"type":"failed","cause":"error"}`, line(t, addrs))

	set := weft.NewVar(naming.Failed[weft.EndpointSet](errors.New("no endpoints yet")))
	state.Store(naming.Ok(dtab.LeafOf(naming.Following(id, dtab.Path{}, set))))
	require.Eventually(t, func() bool { return s.get(t, "/api/1/bind/default?path=/svc/web").status == http.StatusOK }, limit, time.Millisecond)
	l = s.stream(t, "/api/1/bind/default?path=/svc/web&watch=true")
	assert.Equal(t, `{"type":"leaf","bound":{"addr":{"type":"failed","cause":"no endpoints yet"},"id":"/#/n/web","path":"/"}}`, line(t, l))
	assert.Equal(t, `{"type":"failed","cause":"no endpoints yet"}`, line(t, addrs))
	set.Store(naming.Ok(weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: "127.0.0.1:1"}}}))
	const one = `{"type":"bound","addrs":[{"ip":"127.0.0.1","port":1,"meta":{}}],"meta":{}}`
	assert.Equal(t, one, line(t, addrs))
	assert.Equal(t, `{"type":"leaf","bound":{"addr":`+one+`,"id":"/#/n/web","path":"/"}}`, line(t, l))
	// A failure now is no news.
	set.Store(naming.State[weft.EndpointSet]{Value: weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: "127.0.0.1:1"}}}, Known: true, Err: errAway})
	require.Eventually(t, func() bool {
		return s.get(t, "/api/1/addr/x?path=/%23/n/web").header.Get("weft-stale") == errAway.Error()
	}, limit, time.Millisecond)
	set.Store(naming.Ok(weft.EndpointSet{Neg: true}))
	assert.Equal(t, `{"type":"neg"}`, line(t, addrs))
	assert.Equal(t, `{"type":"leaf","bound":{"addr":{"type":"neg"},"id":"/#/n/web","path":"/"}}`, line(t, l))
}

// TestPending: a tree is shown once all of its endpoints are known, and stays the one
// before until then.
func TestPending(t *testing.T) {
	late := weft.NewVar(naming.State[weft.EndpointSet]{})
	var observed atomic.Int32 // the endpoints of web
	s := serve(t, newFickle(t), httpapi.Options{}, under(func(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
		id := dtab.MustPath("/#/n").Concat(p)
		if p.Elem(0) == "late" {
			return naming.Answer(dtab.LeafOf(naming.Following(id, dtab.Path{}, late)))
		}
		return naming.Answer(dtab.LeafOf(naming.Name{Bound: &naming.Bound{ID: id, Addrs: func(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] {
			observed.Add(1)
			context.AfterFunc(ctx, func() { observed.Add(-1) })
			return weft.Const[naming.State[weft.EndpointSet]]{V: naming.Ok(weft.EndpointSet{})}
		}}}))
	}))
	l := s.stream(t, "/api/1/bind/default?path=/svc/web&watch=true")
	assert.Contains(t, line(t, l), `"id":"/#/n/web"`)
	assert.Positive(t, observed.Load())
	a := s.send(t, http.MethodPut, "/api/1/dtabs/default", "/svc/web=>/#/n/late", "Content-Type", "text/plain")
	require.Equal(t, http.StatusNoContent, a.status)
	ctx, cancel := contextWithin(t, limit)
	defer cancel()
	_, err := weft.Until(ctx, s.n.Bind(ctx, "default", nil, dtab.MustPath("/svc/web")), func(b naming.State[namerd.Binding]) bool {
		return b.Known && b.Value.Tree.Op == dtab.Leaf && b.Value.Tree.Value.ID.String() == "/#/n/late"
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return observed.Load() == 0 }, limit, time.Millisecond)
	time.Sleep(50 * time.Millisecond) // a document that should not be would come now
	late.Store(naming.Ok(weft.EndpointSet{Neg: true}))
	assert.Equal(t, `{"type":"leaf","bound":{"addr":{"type":"neg"},"id":"/#/n/late","path":"/"}}`, line(t, l))
}

// TestSameAgain: a namespace that is made again with the dtab that it had is shown
// again.
func TestSameAgain(t *testing.T) {
	f := newFickle(t)
	stored := naming.Ok(namerd.Stored{Exists: true, Dtab: dtab.MustParse("/a=>/b"), Version: "1"})
	dtabs := weft.NewVar(stored)
	f.dtabs = dtabs
	s := serve(t, f, httpapi.Options{})
	ctx, cancel := contextWithin(t, limit)
	defer cancel()
	rsp := s.open(ctx, t, http.MethodGet, "/api/1/dtabs/default?watch=true", "", "Accept", "text/plain")
	defer rsp.Body.Close()
	l := bufio.NewReader(rsp.Body)
	assert.Equal(t, "/a=>/b", line(t, l))
	again := stored
	again.Value.Version = "2"
	dtabs.Store(again) // written anew: nothing to be shown
	changing := make(chan struct{})
	go func() {
		defer close(changing)
		for ctx.Err() == nil { // whoever looks too late sees no difference
			dtabs.Store(naming.Ok(namerd.Stored{}))
			time.Sleep(20 * time.Millisecond)
			dtabs.Store(again)
			time.Sleep(20 * time.Millisecond)
		}
	}()
	assert.Equal(t, "/a=>/b", line(t, l))
	cancel()
	<-changing
}

func TestTreesOfAddr(t *testing.T) {
	s := serve(t, newFickle(t), httpapi.Options{}, under(func(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
		leaf := dtab.LeafOf(naming.Fixed(dtab.MustPath("/#/n").Concat(p), dtab.Path{}, weft.EndpointSet{}))
		switch p.Elem(0) {
		case "fail":
			return naming.Answer(dtab.Tree[naming.Name]{Op: dtab.Fail})
		case "empty":
			return naming.Answer(dtab.Tree[naming.Name]{Op: dtab.Empty})
		case "two":
			return naming.Answer(dtab.UnionOf(leaf.Weighing(1), leaf.Weighing(1)))
		}
		return naming.NoSuchName()
	}))
	for path, want := range map[string]answer{
		"/%23/n/fail":  {http.StatusInternalServerError, nil, "name tree failed"},
		"/%23/n/two":   {http.StatusInternalServerError, nil, "/#/n/two is not a concrete bound id"},
		"/%23/n/empty": {http.StatusOK, nil, `{"type":"bound","addrs":[],"meta":{}}` + "\n"},
		"/%23/n/other": {http.StatusOK, nil, `{"type":"neg"}` + "\n"},
		"/svc":         {http.StatusOK, nil, `{"type":"neg"}` + "\n"},
	} {
		a := s.get(t, "/api/1/addr/default?path="+path)
		assert.Equal(t, want, answer{a.status, nil, a.body}, path)
	}
	assert.Equal(t, "{\"type\":\"fail\"}\n", s.get(t, "/api/1/bind/default?path=/svc/fail").body)
	assert.Equal(t, "{\"type\":\"empty\"}\n", s.get(t, "/api/1/bind/default?path=/svc/empty").body)
	assert.Equal(t, "{\"type\":\"neg\"}\n", s.get(t, "/api/1/resolve/default?path=/svc/empty").body)
}

// TestSlowClients: one that reads nothing sees the newest value once it reads, or is cut
// off, and nobody waits for it.
func TestSlowClients(t *testing.T) {
	f := newFickle(t)
	s := serve(t, f, httpapi.Options{Stalled: time.Second})
	large := func(i int) string { return fmt.Sprintf("/n%d=>/a;/x=>/", i) + strings.Repeat("y", 1<<20-100) }

	var dialer net.Dialer
	slow, err := dialer.DialContext(t.Context(), "tcp", s.server.Listener.Addr().String())
	require.NoError(t, err)
	defer slow.Close()
	require.NoError(t, slow.(*net.TCPConn).SetReadBuffer(4096))
	fmt.Fprintf(slow, "GET /api/1/dtabs/large?watch=true HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\n\r\n")
	fast := s.stream(t, "/api/1/dtabs/large?watch=true")

	before := time.Now()
	for i := range 8 {
		began := time.Now()
		a := s.send(t, http.MethodPut, "/api/1/dtabs/large", large(i), "Content-Type", "text/plain")
		require.Equal(t, http.StatusNoContent, a.status, a.body)
		for !strings.HasPrefix(line(t, fast), fmt.Sprintf(`[{"prefix":"/n%d"`, i)) {
		}
		assert.Less(t, time.Since(began), 10*time.Second)
	}
	t.Logf("8 writes of 1 MB beside a client that does not read: %s", time.Since(before))
	// It is cut off, which it would see once it had read what is in the buffers.
	require.Eventually(t, func() bool { return !handlersIn("(*exchange).stream", 2) }, limit, 10*time.Millisecond)
}

// handlersIn reports whether at least n goroutines are in a function.
func handlersIn(function string, n int) bool {
	buf := make([]byte, 1<<20)
	return strings.Count(string(buf[:runtime.Stack(buf, true)]), function) >= n
}

// TestNewest: of the values that a client has had no time for it gets the last.
func TestNewest(t *testing.T) {
	f := newFickle(t)
	s := serve(t, f, httpapi.Options{})
	filler := "/x=>/" + strings.Repeat("y", 1<<20)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	rsp := s.open(ctx, t, http.MethodGet, "/api/1/dtabs/large?watch=true", "", "Accept", "text/plain")
	defer rsp.Body.Close()
	const last = 20
	for i := range last + 1 {
		_, err := f.Put(ctx, "large", dtab.MustParse(fmt.Sprintf("/n%d=>/a;%s", i, filler)), namerd.Note{})
		require.NoError(t, err)
	}
	r := bufio.NewReader(rsp.Body)
	seen := 0
	for {
		seen++
		if strings.HasPrefix(line(t, r), fmt.Sprintf("/n%d=", last)) {
			break
		}
	}
	assert.Less(t, seen, last, "values were queued")
}

func TestTooManyStreams(t *testing.T) {
	s := serve(t, newFickle(t), httpapi.Options{MaxStreams: 2})
	ctx, cancel := context.WithCancel(t.Context())
	rsp := s.open(ctx, t, http.MethodGet, "/api/1/dtabs?watch=true", "")
	defer rsp.Body.Close()
	s.stream(t, "/api/1/bind/default?path=/a&watch=true")
	a := s.get(t, "/api/1/dtabs/default?watch=true")
	assert.Equal(t, http.StatusServiceUnavailable, a.status)
	assert.Equal(t, "There are 2 watches, and no more are allowed", a.body)
	assert.Equal(t, http.StatusOK, s.get(t, "/api/1/dtabs/default").status)
	cancel()
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		rsp := s.open(ctx, t, http.MethodGet, "/api/1/dtabs/default?watch=true", "")
		defer rsp.Body.Close()
		return rsp.StatusCode == http.StatusOK
	}, limit, 10*time.Millisecond)
}

// TestClose: watches end in order, what waits is told, and nothing is left.
func TestClose(t *testing.T) {
	pending := weft.NewVar(naming.State[dtab.Tree[naming.Name]]{})
	s := serve(t, newFickle(t), httpapi.Options{}, under(func(context.Context, dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
		return pending
	}))
	l := s.stream(t, "/api/1/dtabs?watch=true")
	assert.Equal(t, `["default"]`, line(t, l))
	waiting := make(chan answer, 1)
	go func() { waiting <- s.get(t, "/api/1/bind/default?path=/svc/web") }()
	require.Eventually(t, func() bool { return handlersIn("(*exchange).bind", 1) }, limit, time.Millisecond)
	require.NoError(t, s.Close())
	rest, err := io.ReadAll(l)
	require.NoError(t, err)
	assert.Empty(t, rest)
	a := <-waiting
	assert.Equal(t, http.StatusServiceUnavailable, a.status)
	assert.Equal(t, "namerd is shutting down", a.body)
	a = s.get(t, "/api/1/dtabs")
	assert.Equal(t, http.StatusServiceUnavailable, a.status)
	require.NoError(t, s.Close())
}

// TestCloseBesideStalledClient: one that does not read is not waited for.
func TestCloseBesideStalledClient(t *testing.T) {
	f := newFickle(t)
	_, err := f.Put(t.Context(), "large", dtab.MustParse("/x=>/"+strings.Repeat("y", 16<<20)), namerd.Note{})
	require.NoError(t, err)
	s := serve(t, f, httpapi.Options{Stalled: time.Hour})
	var dialer net.Dialer
	slow, err := dialer.DialContext(t.Context(), "tcp", s.server.Listener.Addr().String())
	require.NoError(t, err)
	defer slow.Close()
	fmt.Fprintf(slow, "GET /api/1/dtabs/large?watch=true HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\n\r\n")
	require.Eventually(t, func() bool { return handlersIn("(*outlet).send", 1) && handlersIn("internal/poll.(*FD).Write", 1) }, limit, 10*time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Shutdown(ctx), context.DeadlineExceeded)
	began := time.Now()
	require.NoError(t, s.Close())
	assert.Less(t, time.Since(began), limit)
}

func TestDelegateTakesTooLong(t *testing.T) {
	s := serve(t, newFickle(t), httpapi.Options{DelegateBudget: 50 * time.Millisecond},
		under(func(context.Context, dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
			return weft.NewVar(naming.State[dtab.Tree[naming.Name]]{})
		}))
	a := s.get(t, "/api/1/delegate/default?path=/svc/web")
	assert.Equal(t, http.StatusServiceUnavailable, a.status)
	assert.Equal(t, "Request timed out.", a.body)
}
