package admin_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/proxy/admin"
	"github.com/weft-mesh/weft/tap"
)

// tapping serves the admin pages with a hub on a real connection.
func tapping(t *testing.T, security admin.Security) (*tap.Hub, *admin.Server, string) {
	t.Helper()
	hub := &tap.Hub{}
	s := newServer(t, admin.Options{Tap: hub, Security: security})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(context.Background(), ln)
	}()
	t.Cleanup(func() {
		_ = s.Shutdown(context.Background())
		<-served
	})
	return hub, s, ln.Addr().String()
}

// tapRaw writes a request by hand, and returns the status and the lines that follow.
func tapRaw(t *testing.T, addr, query string) (status int, body *bufio.Reader, conn net.Conn) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, "GET /tap"+query+" HTTP/1.1\r\nHost: "+addr+"\r\n\r\n")
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = conn.Close() // before the body, which is read to its end
		_ = resp.Body.Close()
	})
	return resp.StatusCode, bufio.NewReader(resp.Body), conn
}

func TestTapRefuses(t *testing.T) {
	hub, _, addr := tapping(t, admin.Security{})
	for query, want := range map[string]string{
		"?rate=fast":     "want events per second",
		"?path=api":      "want a path that begins with /",
		"?status=99":     "want a status",
		"?method=GE%20T": "want a method",
	} {
		status, body, _ := tapRaw(t, addr, query)
		text, err := io.ReadAll(body)
		require.NoError(t, err)
		assert.Equal(t, http.StatusBadRequest, status, query)
		assert.Contains(t, string(text), want)
	}
	assert.False(t, hub.Watched(), "what was refused watches nothing")

	_, _, closed := tapping(t, admin.Security{NoDiagnostics: true})
	status, _, _ := tapRaw(t, closed, "")
	assert.Equal(t, http.StatusNotFound, status)
}

func TestTapsAreBounded(t *testing.T) {
	hub, _, addr := tapping(t, admin.Security{})
	var conns []net.Conn
	for range tap.MaxWatchers {
		status, _, conn := tapRaw(t, addr, "")
		require.Equal(t, http.StatusOK, status)
		conns = append(conns, conn)
	}
	status, body, _ := tapRaw(t, addr, "")
	text, err := io.ReadAll(body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusTooManyRequests, status)
	assert.Contains(t, string(text), tap.ErrTooMany.Error())
	for _, c := range conns {
		require.NoError(t, c.Close())
	}
	require.Eventually(t, func() bool { return !hub.Watched() }, 10*time.Second, time.Millisecond, "who left watches no more")
	status, _, _ = tapRaw(t, addr, "")
	assert.Equal(t, http.StatusOK, status)
}

// TestTapTellsWhatItDropped: a watcher whose rate is less than what there is is told how
// much it has missed, and the limit ends the stream.
func TestTapTellsWhatItDropped(t *testing.T) {
	hub, _, addr := tapping(t, admin.Security{})
	status, body, _ := tapRaw(t, addr, "?rate=1&limit=2")
	require.Equal(t, http.StatusOK, status)
	for range 5 {
		hub.Offer(&tap.Event{Path: "/a"}, nil)
	}
	line, err := body.ReadString('\n')
	require.NoError(t, err)
	assert.Contains(t, line, `"path":"/a"`)
	line, err = body.ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, `{"dropped":4}`, strings.TrimSpace(line))
	ended := make(chan struct{})
	go func() { // until the rate lets one more through
		defer close(ended)
		for hub.Watched() {
			hub.Offer(&tap.Event{Path: "/b"}, nil)
			time.Sleep(time.Millisecond)
		}
	}()
	rest, err := io.ReadAll(body)
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(string(rest), `"path":"/b"`))
	<-ended
}

// TestTapEndsWithTheServer: who watches does not keep the server from ending.
func TestTapEndsWithTheServer(t *testing.T) {
	hub, s, addr := tapping(t, admin.Security{})
	status, body, _ := tapRaw(t, addr, "")
	require.Equal(t, http.StatusOK, status)
	require.True(t, hub.Watched())
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, s.Shutdown(ctx))
	_, err := io.ReadAll(body)
	require.NoError(t, err, "it comes to its end in order")
	assert.False(t, hub.Watched())
}

// TestTapStalls: a watcher that takes nothing costs the requests nothing, and is gone when
// its connection is.
func TestTapStalls(t *testing.T) {
	hub, _, addr := tapping(t, admin.Security{})
	status, _, conn := tapRaw(t, addr, "?rate=1000")
	require.Equal(t, http.StatusOK, status)
	e := &tap.Event{Path: "/" + strings.Repeat("x", 1000)}
	offered := make(chan struct{})
	go func() {
		defer close(offered)
		for range 100_000 {
			hub.Offer(e, nil)
		}
	}()
	select {
	case <-offered:
	case <-time.After(20 * time.Second):
		t.Fatal("requests wait for who watches")
	}
	require.NoError(t, conn.Close())
	require.Eventually(t, func() bool { return !hub.Watched() }, 10*time.Second, time.Millisecond)
}

// TestTapHead: HEAD does not watch.
func TestTapHead(t *testing.T) {
	hub := &tap.Hub{}
	s := newServer(t, admin.Options{Tap: hub})
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodHead, "/tap", http.NoBody))
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "application/x-ndjson", w.Header().Get("Content-Type"))
	assert.False(t, hub.Watched())
}
