package http1_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/memhttp"
	"github.com/weft-mesh/weft/transport/http1"
)

// echo answers with what it was sent.
func echo(_ int, c *memhttp.Conn, r *bufio.Reader) {
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		b, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		resp := &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(b)), Body: io.NopCloser(bytes.NewReader(b))}
		if resp.Write(c) != nil {
			return
		}
	}
}

type buffered struct {
	io.Reader
	b      []byte
	closed int
}

func (b *buffered) Buffered() ([]byte, bool) { return b.b, true }
func (b *buffered) Close() error             { b.closed++; return nil }

func TestBodiesArrive(t *testing.T) {
	for _, size := range []int{0, 1, 3900, 4096, 10_000, 64 << 10, 64<<10 + 1, 1 << 20} {
		body := strings.Repeat("0123456789abcdef", size/16+1)[:size]
		for name, fresh := range map[string]func() (io.ReadCloser, int64){
			"strings.Reader": func() (io.ReadCloser, int64) { return io.NopCloser(strings.NewReader(body)), int64(size) },
			"bytes.Buffer":   func() (io.ReadCloser, int64) { return io.NopCloser(bytes.NewBufferString(body)), -1 },
			"Buffered":       func() (io.ReadCloser, int64) { return &buffered{b: []byte(body)}, int64(size) },
			"sized":          func() (io.ReadCloser, int64) { return io.NopCloser(readerOnly{strings.NewReader(body)}), int64(size) },
			"chunked":        func() (io.ReadCloser, int64) { return io.NopCloser(readerOnly{strings.NewReader(body)}), -1 },
			"WriterTo":       func() (io.ReadCloser, int64) { return writerTo{strings.NewReader(body)}, int64(size) },
		} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					e := play(t, echo)
					p := e.pool(t, http1.PoolOptions{})
					for range 2 {
						req := newRequest(t, http.MethodPut, "")
						req.Body, req.ContentLength = fresh()
						got := do(t, p, req)
						require.True(t, body == got, "%d bytes instead of %d", len(got), size)
					}
					assert.EqualValues(t, 1, e.accepted.Load())
				})
			})
		}
	}
}

type (
	readerOnly struct{ io.Reader }
	writerTo   struct{ r *strings.Reader }
)

func (w writerTo) Read(p []byte) (int, error)          { return w.r.Read(p) }
func (w writerTo) WriteTo(to io.Writer) (int64, error) { return w.r.WriteTo(to) }
func (w writerTo) Close() error                        { return nil }

func TestUploadsOfTheWrongLength(t *testing.T) {
	for _, c := range []struct {
		name   string
		body   io.Reader
		length int64
	}{
		{"short", readerOnly{strings.NewReader("hello")}, 6},
		{"short, WriterTo", writerTo{strings.NewReader("hello")}, 100_000},
		{"failing", io.MultiReader(strings.NewReader("hel"), failing{}), 6},
		{"failing, chunked", io.MultiReader(strings.NewReader("hel"), failing{}), -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := play(t, echo)
				p := e.pool(t, http1.PoolOptions{})
				body := &closeCounter{Reader: c.body}
				req := newRequest(t, http.MethodPost, "")
				req.Body, req.ContentLength = body, c.length
				_, err := p.RoundTrip(req)
				require.ErrorContains(t, err, "request body")
				synctest.Wait()
				assert.Equal(t, 1, body.closed)
				open, _, _ := p.Stats()
				assert.Zero(t, open)
			})
		})
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("boom") }

// What a body has beyond its length must not become the next request.
func TestUploadsThatAreTooLongAreCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, echo)
		p := e.pool(t, http1.PoolOptions{})
		req := newRequest(t, http.MethodPost, "")
		req.Body, req.ContentLength = io.NopCloser(readerOnly{strings.NewReader("helloGET / HTTP/1.1\r\n\r\n")}), 5
		assert.Equal(t, "hello", do(t, p, req))
		req = newRequest(t, http.MethodPost, "")
		req.Body, req.ContentLength = writerTo{strings.NewReader(strings.Repeat("x", 200_000))}, 100_000
		assert.Len(t, do(t, p, req), 100_000)
		assert.EqualValues(t, 1, e.accepted.Load())
	})
}

func TestResponseBeforeTheEndOfTheUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, func(_ int, c *memhttp.Conn, r *bufio.Reader) {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			b := make([]byte, 1)
			for {
				if _, err := req.Body.Read(b); err != nil {
					break
				}
				_, _ = io.WriteString(c, "1\r\n"+string(b)+"\r\n")
			}
			_, _ = io.WriteString(c, "0\r\n\r\n")
			_, _ = r.ReadByte()
		})
		p := e.pool(t, http1.PoolOptions{})
		body := &slowReader{parts: []string{"a", "b", "c"}, pause: time.Second}
		req := newRequest(t, http.MethodPost, "")
		req.Body, req.ContentLength = body, -1
		var x http1.Exchange
		x.Timed = true
		begun := time.Now()
		resp, err := p.Send(req, &x)
		require.NoError(t, err)
		assert.Zero(t, time.Since(begun), "the response did not wait")
		assert.True(t, x.WroteAt().IsZero())
		b := make([]byte, 10)
		for i, want := range []string{"a", "b", "c"} {
			n, err := resp.Body.Read(b)
			require.NoError(t, err)
			assert.Equal(t, want, string(b[:n]))
			assert.Equal(t, time.Duration(i+1)*time.Second, time.Since(begun))
		}
		_, err = resp.Body.Read(b)
		require.ErrorIs(t, err, io.EOF)
		assert.Equal(t, 4*time.Second, x.WroteAt().Sub(begun))
		require.NoError(t, resp.Body.Close())
		_, idle, _ := p.Stats()
		assert.Equal(t, 1, idle, "both were complete")
		synctest.Wait()
		assert.EqualValues(t, 1, body.closed.Load())
	})
}

func TestResponseInsteadOfTheUpload(t *testing.T) {
	for _, end := range []string{"read", "closed", "no body"} {
		t.Run(end, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				raw := "HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nok"
				if end == "no body" {
					raw = "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n"
				}
				e := play(t, func(_ int, c *memhttp.Conn, r *bufio.Reader) {
					_, _ = http.ReadRequest(r)
					_, _ = io.WriteString(c, raw)
					_, _ = io.Copy(io.Discard, r)
				})
				p := e.pool(t, http1.PoolOptions{})
				body := &slowReader{parts: make([]string, 100), pause: time.Second}
				req := newRequest(t, http.MethodPost, "")
				req.Body, req.ContentLength = body, -1
				resp, err := p.RoundTrip(req)
				require.NoError(t, err)
				assert.Equal(t, 413, resp.StatusCode)
				if end == "read" {
					_, err = io.ReadAll(resp.Body)
					require.NoError(t, err)
				}
				require.NoError(t, resp.Body.Close())
				open, _, _ := p.Stats()
				assert.Zero(t, open, "the connection is not used again")
				reads := body.reads.Load()
				time.Sleep(time.Minute)
				assert.Equal(t, reads, body.reads.Load(), "no Read begins after the end")
				assert.EqualValues(t, 1, body.closed.Load())
			})
		})
	}
}

// The endpoint answers and closes before it has read the body.
func TestResponseThatCutsTheUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, func(_ int, c *memhttp.Conn, r *bufio.Reader) {
			_, _ = http.ReadRequest(r)
			_, _ = io.WriteString(c, "HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nok")
		})
		p := e.pool(t, http1.PoolOptions{})
		req := newRequest(t, http.MethodPost, "")
		req.Body, req.ContentLength = io.NopCloser(readerOnly{strings.NewReader(strings.Repeat("x", 1<<20))}), 1<<20
		resp, err := p.RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, 413, resp.StatusCode)
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, "ok", string(b))
		require.NoError(t, resp.Body.Close())
	})
}

// A caller that is slow to send its body does not keep RoundTrip from returning.
func TestCancelDuringAReadOfTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, echo)
		p := e.pool(t, http1.PoolOptions{})
		body := &slowReader{parts: []string{"a"}, pause: time.Hour}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req := newRequest(t, http.MethodPost, "").WithContext(ctx)
		req.Body, req.ContentLength = body, 1
		begun := time.Now()
		_, err := p.RoundTrip(req)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(begun))
		assert.Zero(t, body.closed.Load(), "not during a Read")
		time.Sleep(2 * time.Hour)
		assert.EqualValues(t, 1, body.closed.Load())
		assert.EqualValues(t, 1, body.reads.Load())
	})
}

// An endpoint that does not read does not block for ever.
func TestUploadWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		e := play(t, func(int, *memhttp.Conn, *bufio.Reader) { <-stop })
		p := e.pool(t, http1.PoolOptions{WriteTimeout: time.Second})
		req := newRequest(t, http.MethodPost, strings.Repeat("x", 1<<20))
		_, err := p.RoundTrip(req)
		var timeout interface{ Timeout() bool }
		require.ErrorAs(t, err, &timeout)
		close(stop)
	})
}

func TestWriteTo(t *testing.T) {
	for name, raw := range map[string]string{
		"short":       ok,
		"chunked":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\nA: b\r\n\r\n",
		"until close": "HTTP/1.1 200 OK\r\n\r\nok",
		"cut":         "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := play(t, func(_ int, c *memhttp.Conn, r *bufio.Reader) {
					_, _ = http.ReadRequest(r)
					_, _ = io.WriteString(c, raw)
				})
				resp, err := e.pool(t, http1.PoolOptions{}).RoundTrip(newRequest(t, http.MethodGet, ""))
				require.NoError(t, err)
				var got bytes.Buffer
				n, err := resp.Body.(io.WriterTo).WriteTo(&got)
				assert.EqualValues(t, 2, n)
				assert.Equal(t, "ok", got.String())
				if name == "cut" {
					require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				} else {
					require.NoError(t, err)
				}
				if name == "chunked" {
					assert.Equal(t, "b", resp.Trailer.Get("A"))
				}
				require.NoError(t, resp.Body.Close())
			})
		})
	}
}

func TestDeadConnections(t *testing.T) {
	for _, c := range []struct {
		name, method string
		body         func() (io.ReadCloser, func() (io.ReadCloser, error))
		resent       bool
	}{
		{"GET", "GET", nil, true},
		{"PUT in memory", "PUT", func() (io.ReadCloser, func() (io.ReadCloser, error)) { return &buffered{b: []byte("hello")}, nil }, true},
		{"PUT with GetBody", "PUT", func() (io.ReadCloser, func() (io.ReadCloser, error)) {
			get := func() (io.ReadCloser, error) { return io.NopCloser(readerOnly{strings.NewReader("hello")}), nil }
			b, _ := get()
			return b, get
		}, true},
		{"PUT once", "PUT", func() (io.ReadCloser, func() (io.ReadCloser, error)) {
			return io.NopCloser(readerOnly{strings.NewReader("hello")}), nil
		}, false},
		{"POST", "POST", func() (io.ReadCloser, func() (io.ReadCloser, error)) { return &buffered{b: []byte("hello")}, nil }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got atomic.Value
				e := play(t, func(n int, conn *memhttp.Conn, r *bufio.Reader) {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					b, _ := io.ReadAll(req.Body)
					got.Store(string(b))
					_, _ = io.WriteString(conn, ok)
					if n == 1 { // dies with the next request
						_, _ = http.ReadRequest(r)
						return
					}
					_, _ = r.ReadByte()
				})
				p := e.pool(t, http1.PoolOptions{MaxConns: 1})
				get(t, p)
				req := newRequest(t, c.method, "")
				want := ""
				if c.body != nil {
					req.Body, req.GetBody = c.body()
					req.ContentLength = 5
					want = "hello"
				}
				var x http1.Exchange
				resp, err := p.Send(req, &x)
				assert.True(t, x.Sent)
				assert.Equal(t, c.resent, x.Resent)
				assert.Equal(t, c.resent, x.Fresh)
				if !c.resent {
					require.ErrorIs(t, err, io.EOF)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, want, got.Load())
				require.NoError(t, resp.Body.Close())
				open, _, _ := p.Stats()
				assert.Equal(t, 1, open)
			})
		})
	}
}

// What is said of a connection that is gone does not depend on whether it was the upload
// that noticed first.
func TestUploadToADeadConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, func(_ int, conn *memhttp.Conn, r *bufio.Reader) {
			_, _ = http.ReadRequest(r)
			_, _ = io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\n\r\n")
		})
		req := newRequest(t, http.MethodPut, "")
		req.Body, req.ContentLength = &slowReader{parts: []string{"hel", "lo"}, pause: time.Second}, 5
		x := http1.Exchange{Informational: func(int, http.Header) error {
			time.Sleep(10 * time.Second) // the upload has failed by then
			return nil
		}}
		_, err := e.pool(t, http1.PoolOptions{}).Send(req, &x)
		require.ErrorIs(t, err, io.EOF)
	})
}

func TestFreshConnectionsAreNotRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, func(_ int, _ *memhttp.Conn, r *bufio.Reader) { _, _ = http.ReadRequest(r) })
		_, err := e.pool(t, http1.PoolOptions{}).RoundTrip(newRequest(t, http.MethodGet, ""))
		require.ErrorIs(t, err, io.EOF)
		assert.EqualValues(t, 1, e.accepted.Load())
	})
}
