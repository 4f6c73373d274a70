package client_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/client"
)

// nobody returns an address that nobody listens at.
func nobody(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	return "http://" + ln.Addr().String()
}

func TestSeveralNamerds(t *testing.T) {
	w := newWorld(t)
	down := nobody(t)
	c := open(t, down+" , "+w.http.URL, client.Options{})
	names, err := c.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"tlop", "yeezus"}, names)

	// A write too, of which nothing was sent to the first.
	c = open(t, down+","+w.http.URL, client.Options{})
	_, err = c.Put(t.Context(), "yeezus", dtab.MustParse("/a=>/b"))
	require.NoError(t, err)

	other := nobody(t)
	c = open(t, down+","+other, client.Options{})
	_, err = c.List(t.Context())
	require.ErrorContains(t, err, down)
	require.ErrorContains(t, err, other)
	var lost *client.TransportError
	require.ErrorAs(t, err, &lost)
	assert.False(t, lost.Sent)
}

// TestNoSecondWrite: a write that may have reached the first namerd is not sent to the
// second one, as it could be made twice.
func TestNoSecondWrite(t *testing.T) {
	var reached atomic.Int32
	cuts := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		_, _ = io.ReadAll(r.Body)
		panic(http.ErrAbortHandler)
	})
	var second atomic.Int32
	good := serve(t, func(w http.ResponseWriter, r *http.Request) {
		second.Add(1)
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, `["second"]`)
		}
	})
	c := open(t, cuts+","+good, client.Options{})
	_, err := c.Create(t.Context(), "x", nil)
	var lost *client.TransportError
	require.ErrorAs(t, err, &lost)
	assert.True(t, lost.Sent)
	assert.Equal(t, int32(1), reached.Load())
	assert.Zero(t, second.Load())

	c = open(t, cuts+","+good, client.Options{})
	names, err := c.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"second"}, names)
}

// TestWriteOnDeadConnection: a write on a kept connection that the namerd has closed
// meanwhile goes to the other one.
func TestWriteOnDeadConnection(t *testing.T) {
	first := newWorld(t)
	second := newWorld(t)
	c := open(t, first.http.URL+","+second.http.URL, client.Options{})
	_, err := c.List(t.Context())
	require.NoError(t, err)
	first.http.Listener.Close()
	first.http.CloseClientConnections()
	require.Eventually(t, func() bool {
		_, err = c.Put(t.Context(), "graduation", dtab.MustParse("/a=>/b"))
		return err == nil
	}, long, 1, "%v", err)
	st, err := second.store.Get(t.Context(), "graduation")
	require.NoError(t, err)
	assert.True(t, st.Exists)
}

// TestWriteThatWasNotSent: a connection that turns out to be dead before anything is
// sent on it does not make a write dangerous.
func TestWriteThatWasNotSent(t *testing.T) {
	var asked []string
	transport := func(sent bool) client.Options {
		asked = nil
		return client.Options{HTTP: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.URL.Host)
			if r.URL.Host == "second" {
				return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Body: http.NoBody}, nil
			}
			trace := httptrace.ContextClientTrace(r.Context())
			trace.GetConn("first:80")
			trace.GotConn(httptrace.GotConnInfo{Reused: true})
			if !sent {
				trace.GetConn("first:80") // nothing could be written, so another one is wanted
			}
			return nil, io.ErrUnexpectedEOF
		})}}
	}
	c := open(t, "http://first,http://second", transport(false))
	_, err := c.Put(t.Context(), "x", nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"first", "second"}, asked)

	c = open(t, "http://first,http://second", transport(true))
	_, err = c.Put(t.Context(), "x", nil)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Equal(t, []string{"first"}, asked)
	// What is asked next is asked of the other one.
	_, err = c.Put(t.Context(), "x", nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"first", "second"}, asked)
}

// TestRefusalIsAnAnswer: the other namerd is not asked about what the first refuses.
func TestRefusalIsAnAnswer(t *testing.T) {
	c := open(t, serve(t, http.NotFound)+","+newWorld(t).http.URL, client.Options{})
	require.ErrorIs(t, c.Delete(t.Context(), "yeezus", ""), namerd.ErrMissing)
}

func TestOptions(t *testing.T) {
	_, err := client.New("http://x", client.Options{HTTP: &http.Client{Timeout: 1}})
	require.ErrorContains(t, err, "Options.Timeout")
	used := false
	c := open(t, "http://somewhere", client.Options{Timeout: -1, HTTP: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		used = true
		return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Body: io.NopCloser(strings.NewReader("[]"))}, nil
	})}})
	names, err := c.List(t.Context())
	require.NoError(t, err)
	assert.Empty(t, names)
	assert.True(t, used)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
