package meshhttp_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/transport/meshhttp"
)

// TestStreaming: what a downstream sends is passed on as it comes, and the name
// and the endpoint are held until the last byte (V90).
func TestStreaming(t *testing.T) {
	for _, length := range []string{"", "20000"} {
		t.Run("V88, V89 length "+length, func(t *testing.T) {
			onAllClients(t, setup{}, func(w *world, rt http.RoundTripper) {
				t := w.t
				more := make(chan struct{})
				w.serve("ds", func(rw http.ResponseWriter, _ *http.Request) {
					if length != "" {
						rw.Header().Set("Content-Length", length)
					}
					_, _ = io.WriteString(rw, strings.Repeat("a", 10000))
					_ = http.NewResponseController(rw).Flush()
					<-more
					_, _ = io.WriteString(rw, strings.Repeat("b", 10000))
				})
				resp := roundTrip(t, rt, newRequest(t, http.MethodGet, "http://ds/", nil))
				got := make([]byte, 10000)
				_, err := io.ReadFull(resp.Body, got)
				require.NoError(t, err, "the first half is there before the second is sent")
				assert.Equal(t, 1, w.service("ds", "pending"), "V90")
				assert.Equal(t, 1, w.client("ds", "pending"), "V90")
				assert.Equal(t, 1, w.service("ds", "requests"), "the answer is counted with its head")
				close(more)
				rest, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				assert.Equal(t, strings.Repeat("b", 10000), string(rest))
				synctest.Wait()
				assert.Equal(t, 0, w.service("ds", "pending"), "V90")
				assert.Equal(t, 0, w.client("ds", "pending"), "V90")
				assert.Equal(t, 1, w.client("ds", "success"))
				require.NoError(t, resp.Body.Close())
				assert.Equal(t, 1, w.client("ds", "requests"), "an attempt ends once")
			})
		})
	}
}

// TestShortBodiesAreReadBeforeTheyCount is the buffered half of V88: an endpoint that
// dies in the middle of a short body costs a retry.
func TestShortBodiesAreReadBeforeTheyCount(t *testing.T) {
	onAllClients(t, withClassifier(meshhttp.Read), func(w *world, rt http.RoundTripper) {
		t := w.t
		w.raw("ds", true, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
		resp := get(t, rt, "http://ds/")
		require.NoError(t, resp.err)
		assert.Equal(t, "good", resp.body)
		assert.Equal(t, 2, w.client("ds", "requests"))

		w.raw("long", true, "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nshort")
		resp = get(t, rt, "http://long/")
		require.ErrorIs(t, resp.err, io.ErrUnexpectedEOF)
		assert.Equal(t, "short", resp.body)
		synctest.Wait()
		assert.Equal(t, 1, w.client("long", "failures"), "the breaker learns of it")
		assert.Equal(t, 0, w.client("long", "success"))
	})
}

// TestBrokenStream: a stream that breaks is a failure of the endpoint, and the
// caller's connection is cut.
func TestBrokenStream(t *testing.T) {
	onAllClients(t, setup{}, func(w *world, rt http.RoundTripper) {
		t := w.t
		w.raw("ds", true, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
		resp := get(t, rt, "http://ds/")
		require.ErrorIs(t, resp.err, io.ErrUnexpectedEOF)
		assert.Equal(t, "hello", resp.body)
		synctest.Wait()
		assert.Equal(t, 1, w.client("ds", "failures"))
		assert.Equal(t, 0, w.client("ds", "pending"))
	})
}

// TestCallerGoesAway: before the head and in the middle of a stream, it ends the
// request to the endpoint and is nobody's failure.
func TestCallerGoesAway(t *testing.T) {
	onAllClients(t, withClassifier(meshhttp.All), func(w *world, rt http.RoundTripper) {
		t := w.t
		ended := make(chan struct{}, 2)
		w.serve("ds", func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/stream" {
				_ = http.NewResponseController(rw).Flush()
			}
			<-r.Context().Done()
			ended <- struct{}{}
		})
		for i, path := range []string{"/head", "/stream"} {
			ctx, cancel := context.WithCancelCause(t.Context())
			timer := time.AfterFunc(time.Second, func() { cancel(io.ErrClosedPipe) })
			resp, err := rt.RoundTrip(newRequest(t, http.MethodGet, "http://ds"+path, nil).WithContext(ctx))
			if path == "/head" {
				require.Error(t, err)
			} else {
				require.NoError(t, err)
				_, err = io.ReadAll(resp.Body)
				require.Error(t, err)
				require.NoError(t, resp.Body.Close())
			}
			<-ended
			synctest.Wait()
			timer.Stop()
			assert.Equal(t, i+1, w.client("ds", "requests"), path)
			assert.Equal(t, 0, w.client("ds", "failures"), path)
			assert.Equal(t, 0, w.client("ds", "success"), path)
			assert.Equal(t, 0, w.client("ds", "pending"), path)
			assert.Equal(t, 0, w.service("ds", "pending"), path)
			cancel(nil)
		}
	})
}

// TestEarlyClose: a caller that has read enough is no failure either.
func TestEarlyClose(t *testing.T) {
	onAllClients(t, setup{}, func(w *world, rt http.RoundTripper) {
		t := w.t
		w.serve("ds", func(rw http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = io.WriteString(rw, "x")
				_ = http.NewResponseController(rw).Flush()
				time.Sleep(time.Second)
			}
		})
		resp := roundTrip(t, rt, newRequest(t, http.MethodGet, "http://ds/", nil))
		_, err := resp.Body.Read(make([]byte, 1))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.NoError(t, resp.Body.Close(), "twice is once")
		time.Sleep(5 * time.Second)
		assert.Equal(t, 1, w.client("ds", "requests"))
		assert.Equal(t, 0, w.client("ds", "failures"))
		assert.Equal(t, 0, w.client("ds", "pending"))
	})
}

// TestTrailers: both ways, announced; and of responses also those that were not.
func TestTrailers(t *testing.T) {
	onAllClients(t, withClassifier(meshhttp.All), func(w *world, rt http.RoundTripper) {
		t := w.t
		n := 0
		ds := w.serve("ds", func(rw http.ResponseWriter, _ *http.Request) {
			if n++; n == 1 {
				rw.WriteHeader(http.StatusInternalServerError) // the second attempt has the trailer too
				return
			}
			rw.Header().Set("Trailer", "Sum")
			_, _ = io.WriteString(rw, "body")
			_ = http.NewResponseController(rw).Flush()
			rw.Header().Set("Sum", "42")
			rw.Header().Set(http.TrailerPrefix+"Summary", "43")
		})
		req := newRequest(t, http.MethodPost, "http://ds/", bodyOf("hello"))
		req.Trailer = http.Header{"Check": nil}
		req.Body = io.NopCloser(onEOF{req.Body, func() { req.Trailer.Set("Check", "7") }})
		resp := readReply(roundTrip(t, rt, req))
		require.NoError(t, resp.err)
		require.Len(t, ds.requests(), 2)
		for _, got := range ds.requests() {
			assert.Equal(t, "hello", got.body)
			assert.Equal(t, "7", got.Trailer.Get("Check"))
		}
		assert.Equal(t, "42", resp.Trailer.Get("Sum"))
		assert.Equal(t, "43", resp.Trailer.Get("Summary"))
		assert.Empty(t, resp.Header.Get("Sum"))
	})
}

// onEOF calls a function when a body has been read.
type onEOF struct {
	io.Reader
	f func()
}

func (o onEOF) Read(p []byte) (int, error) {
	n, err := o.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		o.f()
	}
	return n, err
}

// TestBodylessStatuses: HEAD, 204 and 304 have no bodies, and a HEAD's length is
// the downstream's.
func TestBodylessStatuses(t *testing.T) {
	onAllClients(t, setup{}, func(w *world, rt http.RoundTripper) {
		t := w.t
		ds := w.serve("ds", func(rw http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/204":
				rw.WriteHeader(http.StatusNoContent)
			case "/304":
				rw.Header().Set("Etag", `"x"`)
				rw.WriteHeader(http.StatusNotModified)
			default:
				rw.Header().Set("Content-Length", "1234")
			}
		})
		for _, c := range []struct {
			method, path string
			code         int
			length       int64
		}{{"HEAD", "/", 200, 1234}, {"GET", "/204", 204, 0}, {"GET", "/304", 304, 0}, {"HEAD", "/204", 204, 0}} {
			resp := readReply(roundTrip(t, rt, newRequest(t, c.method, "http://ds"+c.path, nil)))
			require.NoError(t, resp.err)
			assert.Equal(t, c.code, resp.StatusCode)
			assert.Empty(t, resp.body)
			assert.Equal(t, c.length, max(resp.ContentLength, 0), c.path)
		}
		assert.Equal(t, 1, ds.connections())
		assert.Equal(t, 4, w.client("ds", "success"))
		assert.Equal(t, 0, w.service("ds", "pending"))
	})
}
