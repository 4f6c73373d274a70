package realclients_test

import (
	"context"
	"crypto/rand"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/child"
	"github.com/weft-mesh/weft/internal/origin"
)

func TestWebSocket(t *testing.T) {
	child.Heavy(t)
	t.Parallel()
	w := newWorld(t, child.Router{}, child.Router{Label: "tls", Server: "tls"}, child.Router{Label: "tls-tls", To: "secured", Server: "tls", Client: "tls"})
	for label, scheme := range map[string]string{"http": "ws", "tls": "wss", "tls-tls": "wss"} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			client := origin.Client(t, "h1", w.weft.Addr(t, label))
			open := func(ctx context.Context) *websocket.Conn {
				c, resp, err := websocket.Dial(ctx, scheme+"://"+web+"/ws", &websocket.DialOptions{
					HTTPClient: client, Subprotocols: []string{"echo"}, CompressionMode: websocket.CompressionContextTakeover,
				})
				require.NoError(t, err)
				assert.Equal(t, "echo", resp.Header.Get("Sec-WebSocket-Protocol"))
				assert.Contains(t, resp.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate")
				c.SetReadLimit(16 << 20)
				return c
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			c := open(ctx)
			assert.NotEmpty(t, held(t, w.weft), "the proxy does not count the tunnel")
			noise := make([]byte, 3<<20)
			_, _ = rand.Read(noise)
			for _, text := range [][]byte{{}, []byte("shuttle"), origin.Pattern{Size: 70000}.Bytes(), noise, make([]byte, 1<<20)} {
				require.NoError(t, c.Write(ctx, websocket.MessageBinary, text))
				kind, got, err := c.Read(ctx)
				require.NoError(t, err)
				assert.Equal(t, websocket.MessageBinary, kind)
				assert.Equal(t, len(text), len(got))
				assert.True(t, string(text) == string(got), "another message of %d bytes", len(text))
			}
			// In fragments, with a ping between them.
			m, err := c.Writer(ctx, websocket.MessageText)
			require.NoError(t, err)
			pinged := make(chan error, 1)
			for range 5 {
				_, err := io.WriteString(m, "part ")
				require.NoError(t, err)
			}
			go func() { pinged <- c.Ping(ctx) }()
			require.NoError(t, m.Close())
			_, got, err := c.Read(ctx)
			require.NoError(t, err)
			assert.Equal(t, "part part part part part ", string(got))
			reading := c.CloseRead(ctx) // reads the pong
			require.NoError(t, <-pinged)
			_ = reading
			require.NoError(t, c.Close(websocket.StatusNormalClosure, "done"))

			var all sync.WaitGroup
			for range 30 {
				all.Go(func() {
					c := open(ctx)
					for range 20 {
						assert.NoError(t, c.Write(ctx, websocket.MessageText, []byte("one of many")))
						_, got, err := c.Read(ctx)
						assert.NoError(t, err)
						assert.Equal(t, "one of many", string(got))
					}
					assert.NoError(t, c.CloseNow()) // without a closing frame
				})
			}
			all.Wait()
		})
	}
	t.Cleanup(func() { // the proxy lets go of what its callers have left
		child.Eventually(t, 10*time.Second, func() string { return held(t, w.weft) })
	})
}

// held names a connection that the proxy has, if there is one.
func held(t *testing.T, w *child.Weft) string {
	t.Helper()
	for name, n := range w.Metrics(t) {
		if n != 0 && strings.HasSuffix(name, "/connections") {
			return name
		}
	}
	return ""
}
