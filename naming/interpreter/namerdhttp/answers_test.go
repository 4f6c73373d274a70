package namerdhttp_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/namerdtest"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/namerdhttp"
)

// serving returns an interpreter of a server whose answers to bind are those of h.
func serving(t *testing.T, h http.HandlerFunc) *namerdhttp.Interpreter {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/1/bind/ns", h)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	in, err := namerdhttp.New(namerdhttp.Config{Namespace: "ns", RetryBase: 10 * time.Millisecond}, namerdhttp.Options{
		Endpoints: func(context.Context) weft.Source[naming.State[weft.EndpointSet]] {
			return weft.Const[naming.State[weft.EndpointSet]]{V: namerdtest.Set(s.Listener.Addr().String())}
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, in.Close()) })
	return in
}

func await(t *testing.T, src weft.Source[namerdtest.Tree], ok func(namerdtest.Tree) bool) namerdtest.Tree {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	st, err := weft.Until(ctx, src, ok)
	require.NoError(t, err)
	return st
}

const leafJSON = `{"type":"leaf","bound":{"addr":{"type":"neg"},"id":"/#/web","path":"/"}}`

func good(st namerdtest.Tree) bool { return st.Known && st.Err == nil }

// TestErrorPages is quirk 24: a body that is not JSON does not end the watch.
func TestErrorPages(t *testing.T) {
	var step atomic.Int32
	in := serving(t, func(w http.ResponseWriter, _ *http.Request) {
		switch step.Load() {
		case 0:
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, "requirement failed")
		case 1:
			fmt.Fprint(w, "<html>an error page with status 200</html>")
		case 2:
			fmt.Fprint(w, `{"type":"what"}`)
		default:
			fmt.Fprintln(w, leafJSON)
		}
	})
	src := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	for _, want := range []string{
		"namerd answers 500 Internal Server Error: requirement failed",
		"namerd says: <html>an error page with status 200</html>",
		`namerd's answer makes no sense: a node of the unknown type "what"`,
	} {
		await(t, src, func(st namerdtest.Tree) bool { return st.Err != nil && st.Err.Error() == want })
		step.Add(1)
	}
	assert.Equal(t, "/#/web", await(t, src, good).Value.Value.ID.String())
}

// TestEndsAreNoNews: a stream that ends in order is asked for again, and what was
// known holds.
func TestEndsAreNoNews(t *testing.T) {
	var asked atomic.Int32
	in := serving(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		fmt.Fprintln(w, leafJSON)
	})
	src := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	await(t, src, good)
	_, stale := src.Load()
	require.Eventually(t, func() bool { return asked.Load() > 3 }, 15*time.Second, time.Millisecond)
	select {
	case <-stale:
		t.Error("nothing has changed")
	default:
	}
}

// TestQuery is what the original sends: rules and path as text.
func TestQuery(t *testing.T) {
	asked := make(chan string, 10)
	in := serving(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.RawQuery
		fmt.Fprintln(w, leafJSON)
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	await(t, in.Bind(t.Context(), dtab.MustParse("/a=>/b & /c"), dtab.MustPath(`/svc/\x77\x20\x62`)), good)
	assert.Equal(t, `dtab=%2Fa%3D%3E%2Fb+%26+%2Fc&path=%2Fsvc%2F%5Cx77%5Cx20%5Cx62&watch=true`, <-asked)
	await(t, in.Bind(t.Context(), nil, dtab.MustPath("/svc/x")), good)
	assert.Equal(t, `path=%2Fsvc%2Fx&watch=true`, <-asked)
}

func TestGarbageInsteadOfHTTP(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, "\x00\x00\x06\x04\x00 this is not HTTP\n")
			c.Close()
		}
	}()
	in, err := namerdhttp.New(namerdhttp.Config{}, namerdhttp.Options{
		Endpoints: func(context.Context) weft.Source[naming.State[weft.EndpointSet]] {
			return weft.Const[naming.State[weft.EndpointSet]]{V: namerdtest.Set(ln.Addr().String())}
		},
	})
	require.NoError(t, err)
	defer in.Close()
	src := in.Bind(t.Context(), nil, dtab.MustPath("/a"))
	require.Eventually(t, func() bool {
		for _, w := range in.Watches() {
			if w.Watching == "bind /a" && w.Err != nil {
				return true
			}
		}
		return false
	}, 15*time.Second, time.Millisecond)
	st, _ := src.Load()
	var unanswered *naming.UnansweredError
	assert.ErrorAs(t, st.Err, &unanswered)
}

func TestConfig(t *testing.T) {
	o := namerdhttp.Options{Endpoints: func(context.Context) weft.Source[naming.State[weft.EndpointSet]] {
		return weft.Const[naming.State[weft.EndpointSet]]{}
	}}
	_, err := namerdhttp.New(namerdhttp.Config{}, namerdhttp.Options{})
	require.EqualError(t, err, "io.l5d.namerd.http: options: Endpoints is required: where namerd is")
	_, err = namerdhttp.New(namerdhttp.Config{RetryBase: time.Minute, RetryMax: time.Second}, o)
	require.EqualError(t, err, "io.l5d.namerd.http: retry: base 1m0s must not be greater than max 1s")
	_, err = namerdhttp.New(namerdhttp.Config{RetryBase: -1}, o)
	require.Error(t, err)
	_, err = namerdhttp.New(namerdhttp.Config{MinPeriod: -1}, o)
	require.Error(t, err)
}
