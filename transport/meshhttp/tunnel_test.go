package meshhttp_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWebSocket: a protocol that both sides switch to passes, both ways, whichever
// way in.
func TestWebSocket(t *testing.T) {
	onAllClients(t, setup{}, func(w *world, rt http.RoundTripper) {
		t := w.t
		ds := w.serve("ds", func(rw http.ResponseWriter, r *http.Request) {
			conn, err := websocket.Accept(rw, r, nil)
			if err != nil {
				return
			}
			for {
				kind, b, err := conn.Read(r.Context())
				if err != nil {
					return
				}
				if err := conn.Write(r.Context(), kind, bytes.ToUpper(b)); err != nil {
					return
				}
			}
		})
		conn, resp, err := websocket.Dial(t.Context(), "ws://ds/chat", &websocket.DialOptions{HTTPClient: &http.Client{Transport: rt}})
		require.NoError(t, err)
		assert.Equal(t, "1.1 linkerd", resp.Header.Get("Via"))
		for _, text := range []string{"hello", strings.Repeat("x", 30000)} {
			require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte(text)))
			_, got, err := conn.Read(t.Context())
			require.NoError(t, err)
			assert.Equal(t, strings.ToUpper(text), string(got))
		}
		assert.Equal(t, "/chat", ds.last(t).RequestURI)
		assert.Equal(t, "/svc/ds", ds.last(t).Header.Get("l5d-dst-service"))
		assert.Equal(t, 1, w.client("ds", "pending"), "a connection is a request for as long as it lasts")
		require.NoError(t, conn.Close(websocket.StatusNormalClosure, ""))
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, 0, w.client("ds", "pending"))
		assert.Equal(t, 1, w.client("ds", "success"))
		assert.Equal(t, 0, w.service("ds", "pending"))
	})
}

// TestWebSocketCallerVanishes: the endpoint's side ends with the caller's.
func TestWebSocketCallerVanishes(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		t := w.t
		ended := make(chan struct{})
		w.serve("ds", func(rw http.ResponseWriter, r *http.Request) {
			defer close(ended)
			conn, err := websocket.Accept(rw, r, nil)
			if err == nil {
				_, _, _ = conn.Read(context.Background())
				_ = conn.CloseNow()
			}
		})
		conn, _, err := websocket.Dial(t.Context(), "ws://ds/", &websocket.DialOptions{HTTPClient: &http.Client{Transport: w.proxyClient(nil)}})
		require.NoError(t, err)
		_ = conn.CloseNow()
		<-ended
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, 0, w.client("ds", "pending"))
	})
}

// TestUpgradeRefused: an endpoint that does not switch answers like any other, and
// HTTP/2 is not asked for.
func TestUpgradeRefused(t *testing.T) {
	onAllFaces(t, setup{}, func(w *world, do func(call) reply) {
		t := w.t
		ds := w.serve("ds", nil)
		resp := do(call{host: "ds", header: []string{"Connection: upgrade", "Upgrade: foo"}})
		assert.Equal(t, 200, resp.StatusCode)
		assert.Equal(t, "ds", resp.body)
		assert.Equal(t, "foo", ds.last(t).Header.Get("Upgrade"))
		assert.Equal(t, "Upgrade", ds.last(t).Header.Get("Connection"))
		resp = do(call{host: "ds", header: []string{"Connection: upgrade, http2-settings", "Upgrade: h2c", "HTTP2-Settings: x"}})
		assert.Equal(t, 200, resp.StatusCode)
		assert.NotContains(t, ds.last(t).Header, "Upgrade")
		assert.NotContains(t, ds.last(t).Header, "Http2-Settings")
		w.raw("other", true, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: bar\r\n\r\n")
		assert.Equal(t, 502, do(call{host: "other", header: []string{"Connection: upgrade", "Upgrade: foo"}}).StatusCode)
	})
}

// TestConnect: a tunnel to what the name is bound to.
func TestConnect(t *testing.T) {
	onAllClients(t, setup{}, func(w *world, rt http.RoundTripper) {
		t := w.t
		if _, ok := rt.(*http.Transport); ok {
			return // see below: net/http hides the connection
		}
		l := w.raw("ds:443", false, "raw answer")
		_ = l
		req := newRequest(t, http.MethodConnect, "http://ds:443", nil)
		resp := roundTrip(t, rt, req)
		assert.Equal(t, 200, resp.StatusCode)
		conn, ok := resp.Body.(io.ReadWriteCloser)
		require.True(t, ok)
		_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
		got := make([]byte, len("raw answer"))
		_, err = io.ReadFull(conn, got)
		require.NoError(t, err)
		assert.Equal(t, "raw answer", string(got))
		assert.Equal(t, 1, w.client("ds:443", "pending"))
		require.NoError(t, conn.Close())
		assert.Equal(t, 0, w.client("ds:443", "pending"))
	})
	inWorld(t, setup{}, func(w *world) {
		t := w.t
		addr := w.address()
		l, err := w.net.Listen(addr)
		require.NoError(t, err)
		w.put("ds:443", addr)
		done := make(chan string)
		go func() { // answers when the other side has ended its half
			conn, err := l.Accept()
			if err != nil {
				return
			}
			b, _ := io.ReadAll(conn)
			_, _ = io.WriteString(conn, "echo "+string(b))
			_ = conn.Close()
			done <- string(b)
		}()
		nc, err := w.net.Dial(t.Context(), proxyAddr)
		require.NoError(t, err)
		defer nc.Close()
		_, err = io.WriteString(nc, "CONNECT ds:443 HTTP/1.1\r\nHost: ds:443\r\n\r\nsent at once")
		require.NoError(t, err)
		br := bufio.NewReader(nc)
		resp, err := http.ReadResponse(br, &http.Request{Method: http.MethodConnect})
		require.NoError(t, err)
		assert.Equal(t, 200, resp.StatusCode)
		assert.NotContains(t, resp.Header, "Content-Length")
		assert.Equal(t, "1.1 linkerd", resp.Header.Get("Via"))
		require.NoError(t, nc.(interface{ CloseWrite() error }).CloseWrite())
		assert.Equal(t, "sent at once", <-done)
		rest, err := io.ReadAll(br)
		require.NoError(t, err)
		assert.Equal(t, "echo sent at once", string(rest))
		require.NoError(t, l.Close())
		time.Sleep(time.Second)
		assert.Equal(t, 0, w.client("ds:443", "pending"))

		resp, err = w.proxyClient(nil).RoundTrip(newRequest(t, http.MethodConnect, "http://unknown:443", nil))
		require.NoError(t, err)
		assert.Equal(t, 502, resp.StatusCode)
		require.NoError(t, resp.Body.Close())
	})
}
