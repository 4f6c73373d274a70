package proxy_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/proxy"
)

// application is an HTTP/1.1 server that knows nothing of any mesh. It says what it
// saw, echoes bodies with a trailer, and speaks WebSocket at /ws.
func application(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ws" {
			c, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			defer c.CloseNow()
			kind, msg, err := c.Read(r.Context())
			if err == nil {
				_ = c.Write(r.Context(), kind, msg)
			}
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Trailer", "X-End")
		fmt.Fprintf(w, "%s %s via=%s te=%v body=%d", r.Proto, r.Host, r.Header.Get("Via"), r.TransferEncoding, len(body))
		w.Header().Set("X-End", r.Trailer.Get("X-Said"))
	}))
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String()
}

// TestTwoHopsShareAConnection: an http router speaks HTTP/2 to its next hop, which goes
// back to HTTP/1.1, and nobody at the ends can tell.
func TestTwoHopsShareAConnection(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls %v", secure), func(t *testing.T) {
			app := application(t)
			serverTLS, clientTLS := "", ""
			if secure {
				files := testcert.NewFiles(t, "linkerd")
				serverTLS = fmt.Sprintf("tls: {certPath: %s, keyPath: %s}", files.Cert, files.Key)
				clientTLS = fmt.Sprintf(", tls: {commonName: linkerd, trustCerts: [%s]}", files.CA)
			}
			start := func(yaml string) (*proxy.Proxy, string) {
				t.Helper()
				p := newProxy(t, yaml, proxy.Options{})
				addrs, err := p.Start()
				require.NoError(t, err)
				return p, addrs.Servers["http"][0]
			}
			_, in := start(fmt.Sprintf(`
admin: {port: 0}
routers:
- protocol: http
  dtab: /svc/* => /$/inet/%s
  servers:
  - port: 0
    %s
`, strings.Replace(app, ":", "/", 1), serverTLS))
			first, out := start(fmt.Sprintf(`
admin: {port: 0}
routers:
- protocol: http
  dtab: /svc/* => /$/inet/%s
  client: {http2: true%s}
  servers: [{port: 0}]
`, strings.Replace(in, ":", "/", 1), clientTLS))

			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() {
					for range 10 {
						req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+out+"/", io.MultiReader(strings.NewReader(strings.Repeat("x", i*1000))))
						if !assert.NoError(t, err) {
							return
						}
						req.Host = "web"
						req.Trailer = http.Header{"X-Said": {"done"}}
						resp, err := client.Do(req)
						if !assert.NoError(t, err) {
							return
						}
						body, err := io.ReadAll(resp.Body)
						resp.Body.Close()
						assert.NoError(t, err)
						assert.Equal(t, fmt.Sprintf("HTTP/1.1 web via=1.1 linkerd, 2.0 linkerd te=[chunked] body=%d", i*1000), string(body))
						assert.Equal(t, "done", resp.Trailer.Get("X-End"))
						assert.Equal(t, "HTTP/1.1", resp.Proto)
					}
				})
			}
			wg.Wait()
			connects := int64(-1)
			for path, m := range first.Tree().All() {
				if path[len(path)-1] == "connects" && slices.Contains(path, "client") {
					connects = m.Int
				}
			}
			assert.Equal(t, int64(1), connects, "connections between the two hops")

			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			c, _, err := websocket.Dial(ctx, "ws://"+out+"/ws", &websocket.DialOptions{Host: "web"})
			require.NoError(t, err)
			defer c.CloseNow()
			require.NoError(t, c.Write(ctx, websocket.MessageText, []byte("hello")))
			_, msg, err := c.Read(ctx)
			require.NoError(t, err)
			assert.Equal(t, "hello", string(msg))
		})
	}
}
