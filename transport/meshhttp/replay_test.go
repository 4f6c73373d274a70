package meshhttp_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// TestReplay: a body within the limit is sent again, of known length or chunked;
// one beyond it is sent once.
func TestReplay(t *testing.T) {
	const limit = 64 << 10
	rows := []struct {
		id      string
		size    int
		chunked bool
		again   bool
	}{
		{"small", 10, false, true},
		{"small, chunked (4.1 (5) differs)", 10, true, true},
		{"at the limit", limit, false, true},
		{"at the limit, chunked", limit, true, true},
		{"beyond the limit", limit + 1, false, false},
		{"beyond the limit, chunked", limit + 1, true, false},
	}
	for _, r := range rows {
		t.Run(r.id, func(t *testing.T) {
			onAllClients(t, withClassifier(meshhttp.All), func(w *world, rt http.RoundTripper) {
				t := w.t
				ds := w.serve("ds", alternate("", 500, 200))
				text := strings.Repeat("x", r.size-1) + "y"
				var body io.Reader = strings.NewReader(text)
				if r.chunked {
					body = bodyOf(text)
				}
				req := newRequest(t, http.MethodPost, "http://ds/", body)
				req.GetBody = nil
				resp := readReply(roundTrip(t, rt, req))
				got := ds.requests()
				if !r.again {
					assert.Equal(t, 500, resp.StatusCode)
					require.Len(t, got, 1)
					assert.Equal(t, text, got[0].body)
					assert.NotContains(t, got[0].Header, "Finagle-Http-Retryable-Request")
					return
				}
				assert.Equal(t, 200, resp.StatusCode)
				require.Len(t, got, 2)
				for _, g := range got {
					assert.Equal(t, text, g.body)
					_, marked := g.Header["Finagle-Http-Retryable-Request"]
					assert.Equal(t, !r.chunked, marked, "2.11")
				}
			})
		})
	}
}

// TestEarlyFailure: an endpoint that answers before it has the whole body. What is
// still to come goes to the next attempt, and nothing is lost or repeated.
func TestEarlyFailure(t *testing.T) {
	onAllClients(t, withClassifier(meshhttp.All), func(w *world, rt http.RoundTripper) {
		t := w.t
		var n atomic.Int32
		var second string
		w.serve("ds", func(rw http.ResponseWriter, r *http.Request) {
			if n.Add(1) == 1 {
				buf := make([]byte, 5)
				_, _ = io.ReadFull(r.Body, buf)
				rw.WriteHeader(http.StatusInternalServerError)
				return
			}
			b, _ := io.ReadAll(r.Body)
			second = string(b)
		})
		pr, pw := io.Pipe()
		req := newRequest(t, http.MethodPost, "http://ds/", pr)
		req.Header.Set("Test-Read", "no")
		go func() {
			_, _ = io.WriteString(pw, "first")
			time.Sleep(2 * time.Second)
			_, _ = io.WriteString(pw, " second")
			_ = pw.Close()
		}()
		resp := readReply(roundTrip(t, rt, req))
		assert.Equal(t, 200, resp.StatusCode)
		assert.Equal(t, "first second", second)
	})
}

// TestTimeoutDoesNotWaitForTheBody: the time of an attempt is up also while the
// caller is slow to send.
func TestTimeoutDoesNotWaitForTheBody(t *testing.T) {
	s := withClassifier(nil)
	s.client = func(string) (transport.ClientOptions, meshhttp.ClientSettings) {
		return transport.ClientOptions{AttemptTimeout: time.Second, Accrual: circuit.None{}}, meshhttp.ClientSettings{}
	}
	inWorld(t, s, func(w *world) {
		t := w.t
		w.serve("ds", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
		pr, pw := io.Pipe()
		begun := time.Now()
		_, err := w.mesh.RoundTrip(newRequest(t, http.MethodPost, "http://ds/", neverEnds{pr}))
		require.ErrorIs(t, err, transport.ErrTimeout)
		assert.Equal(t, time.Second, time.Since(begun))
		_ = pw.Close()
	})
}

// neverEnds is a body whose Close does not end its Read.
type neverEnds struct{ r io.Reader }

func (n neverEnds) Read(p []byte) (int, error) { return n.r.Read(p) }

// TestBodyIsClosed: http.RoundTripper closes the body whatever happens, and changes
// nothing of the request.
func TestBodyIsClosed(t *testing.T) {
	inWorld(t, withClassifier(meshhttp.All), func(w *world) {
		t := w.t
		w.serve("ds", nil)
		w.serve("failing", alternate("", 500))
		w.put("closed", w.address())
		for _, c := range []call{
			{host: "ds"},
			{host: "failing"},
			{host: "closed"},
			{host: "unknown"},
			{host: ""},
			{host: "ds", header: []string{"l5d-dtab: nonsense"}},
			{host: "ds", header: []string{deadlineIn(-1)}},
			{host: "ds", header: []string{"Content-Length: 1", "Content-Length: 2"}},
		} {
			c.method, c.body = http.MethodPost, "hello"
			req := c.request(t)
			closed := &closeCounter{Reader: strings.NewReader("hello")}
			req.Body = closed
			before := req.Header.Clone()
			if resp, err := w.mesh.RoundTrip(req); err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				require.NoError(t, resp.Body.Close())
			}
			assert.Positive(t, closed.n.Load(), "%v", c)
			assert.Equal(t, before, req.Header, "%v", c)
		}
	})
}

type closeCounter struct {
	io.Reader
	n atomic.Int32
}

func (c *closeCounter) Close() error {
	c.n.Add(1)
	return nil
}

// TestBodyError: a body that cannot be read is the caller's failure to send.
func TestBodyError(t *testing.T) {
	inWorld(t, withClassifier(meshhttp.All), func(w *world) {
		t := w.t
		ds := w.serve("ds", nil)
		broken := errors.New("broken")
		_, err := w.mesh.RoundTrip(newRequest(t, http.MethodPost, "http://ds/", io.MultiReader(strings.NewReader("x"), errorReader{broken})))
		require.ErrorIs(t, err, broken)
		assert.LessOrEqual(t, len(ds.requests()), 1)
	})
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }
