package streaming_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/child"
	"github.com/weft-mesh/weft/internal/origin"
)

// stalled is how long a test waits for bytes that must not come.
const stalled = 150 * time.Millisecond

// counting is an origin that counts what it could write, and whose /stuck reads
// nothing until it is told to.
type counting struct {
	written atomic.Int64
	read    chan struct{}
}

func (c *counting) handler() http.Handler {
	c.read = make(chan struct{})
	mux, inner := http.NewServeMux(), origin.Handler()
	mux.Handle("/", inner)
	mux.HandleFunc("/stuck", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-c.read:
		case <-r.Context().Done():
			return
		}
		r.URL.Path = "/check"
		inner.ServeHTTP(w, r)
	})
	mux.HandleFunc("/counted", func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/pattern"
		inner.ServeHTTP(counted{w, &c.written}, r)
	})
	return mux
}

// settled waits until the origin writes no more and returns how much it has written.
func (c *counting) settled(t *testing.T) int64 {
	t.Helper()
	for limit := time.Now().Add(10 * time.Second); ; {
		before := c.written.Load()
		time.Sleep(stalled)
		if now := c.written.Load(); now == before && now > 0 {
			return now
		}
		require.True(t, time.Now().Before(limit), "the origin is not slowed down")
	}
}

type counted struct {
	http.ResponseWriter
	n *atomic.Int64
}

// Write implements io.Writer.
func (c counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.n.Add(int64(n))
	return n, err
}

// Unwrap is for http.ResponseController.
func (c counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// others makes requests beside one that is stuck; all must end in time.
func others(t *testing.T, client *http.Client, scheme string) {
	t.Helper()
	begin := time.Now()
	const n = 24
	results := make(chan error, n)
	for i := range n {
		go func() {
			p := origin.Pattern{Seed: uint32(i), Size: 1 << 20}
			results <- errors.Join(download(client, scheme, p, ""), upload(client, scheme, p, i%2 == 0))
		}()
	}
	late := time.After(20 * time.Second)
	for range n {
		select {
		case err := <-results:
			require.NoError(t, err)
		case <-late:
			require.FailNow(t, "other requests wait for one that is stuck")
		}
	}
	t.Logf("others took %v", time.Since(begin).Round(time.Millisecond))
}

func TestAReaderThatStopsBlocksOnlyItself(t *testing.T) {
	child.Heavy(t)
	for _, w := range ways(t) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			c := &counting{}
			weft, client, _ := w.run(t, c.handler())
			require.NoError(t, download(client, w.scheme, origin.Pattern{Size: 1 << 20}, ""))
			grown := memory(t, weft.Process)
			p := origin.Pattern{Seed: 5, Size: 40 << 20}
			const readers = 6
			var bodies []io.Reader
			for range readers {
				resp, err := client.Get(url(w.scheme, "/counted?seed=5&size=%d", p.Size))
				require.NoError(t, err)
				t.Cleanup(func() { _ = resp.Body.Close() })
				first := make([]byte, 10)
				_, err = io.ReadFull(resp.Body, first)
				require.NoError(t, err)
				bodies = append(bodies, io.MultiReader(strings.NewReader(string(first)), resp.Body))
			}
			written := c.settled(t)
			// A caller's window or socket buffers (4 MiB here) and the same again between the
			// proxy and the origin, of which the proxy itself keeps little.
			assert.Less(t, written, int64(readers*16<<20), "the origin was not slowed down")
			others(t, client, w.scheme)
			assert.Equal(t, written, c.settled(t), "it was read though nobody took it")
			if strings.HasPrefix(w.name, "h2") {
				assert.Equal(t, 1.0, weft.Metrics(t)["rt/router/server/127.0.0.1/0/connections"], "the streams were not on one connection")
			}
			more := grown()
			t.Logf("%d readers stopped: the origin has written %d KB, %d KB more memory", readers, written>>10, more>>10)
			assert.Less(t, more, int64(flat))
			for _, b := range bodies {
				_, err := p.Check(b)
				require.NoError(t, err, "it does not go on")
			}
		})
	}
}

func TestAnOriginThatDoesNotReadBlocksOnlyItsCaller(t *testing.T) {
	child.Heavy(t)
	for _, w := range ways(t) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			c := &counting{}
			weft, client, _ := w.run(t, c.handler())
			require.NoError(t, download(client, w.scheme, origin.Pattern{Size: 1 << 20}, ""))
			grown := memory(t, weft.Process)
			p := origin.Pattern{Seed: 6, Size: 40 << 20}
			const writers = 6
			sent := make([]atomic.Int64, writers)
			results := make(chan error, writers)
			for i := range writers {
				go func() {
					body := &meter{r: p.Reader(), n: &sent[i]}
					req, err := http.NewRequest(http.MethodPost, url(w.scheme, "/stuck?seed=6&size=%d", p.Size), body)
					if err == nil {
						var resp *http.Response
						if resp, err = client.Do(req); err == nil {
							if resp.StatusCode != http.StatusOK {
								err = fmt.Errorf("status %d", resp.StatusCode)
							}
							_ = resp.Body.Close()
						}
					}
					results <- err
				}()
			}
			total := func() (n int64) {
				for i := range sent {
					n += sent[i].Load()
				}
				return n
			}
			var before int64 = -1
			child.Eventually(t, 10*time.Second, func() string {
				now := total()
				if now > 0 && now == before {
					return ""
				}
				before = now
				time.Sleep(stalled)
				return "the caller is not slowed down"
			})
			others(t, client, w.scheme)
			assert.Less(t, total(), int64(writers*16<<20), "the caller was not slowed down")
			more := grown()
			t.Logf("%d writers stuck: they have sent %d KB, %d KB more memory", writers, total()>>10, more>>10)
			assert.Less(t, more, int64(flat))
			close(c.read)
			for range writers {
				assert.NoError(t, <-results)
			}
		})
	}
}

// meter counts what is read of a body.
type meter struct {
	r io.Reader
	n *atomic.Int64
}

// Read implements io.Reader.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.n.Add(int64(n))
	return n, err
}

func TestEachChunkArrivesBeforeTheNextIsSent(t *testing.T) {
	child.Heavy(t)
	for _, w := range ways(t) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			_, client, _ := w.run(t, nil)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			in, out := io.Pipe()
			defer out.Close()
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, url(w.scheme, "/echo"), in)
			require.NoError(t, err)
			req.Trailer = http.Header{"X-Sum": nil}
			resp, err := client.Do(req) // comes before anything of the body is sent
			require.NoError(t, err)
			defer resp.Body.Close()
			for i := range 200 {
				say := fmt.Sprintf("chunk %d of them all\n", i)
				_, err := io.WriteString(out, say)
				require.NoError(t, err)
				got := make([]byte, len(say))
				_, err = io.ReadFull(resp.Body, got)
				require.NoError(t, err)
				require.Equal(t, say, string(got))
			}
			req.Trailer.Set("X-Sum", "42")
			require.NoError(t, out.Close())
			rest, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.Empty(t, rest)
			assert.Equal(t, "42", resp.Trailer.Get("X-Sum"), "the trailers of the request came back as those of the response")
		})
	}
}
