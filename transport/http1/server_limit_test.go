package http1_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/transport/http1"
)

// chunks is a chunked body.
func chunks(parts ...string) string {
	var b strings.Builder
	for _, p := range append(parts, "") {
		b.WriteString(string("0123456789"[len(p)]) + "\r\n" + p + "\r\n")
	}
	return b.String()
}

func TestServerBodyLimit(t *testing.T) {
	t.Parallel()
	const sized, chunked = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, c := range []struct {
		name, send string
		handler    func(w http.ResponseWriter, r *http.Request, err error)
		calls      int32
		status     int
		body       string
		last       bool // the connection ends
	}{
		{"at the limit", sized + "8\r\n\r\n12345678", nil, 1, 200, "12345678", false},
		{"beyond it", sized + "9\r\n\r\n123456789", nil, 0, 413, "", true},
		{"beyond it, nothing sent yet", sized + "9\r\nExpect: 100-continue\r\n\r\n", nil, 0, 413, "", true},
		{"chunks at the limit", chunked + chunks("1234", "5678"), nil, 1, 200, "12345678", false},
		{"chunks beyond it", chunked + chunks("1234", "56789"), nil, 1, 413, "", true},
		{"one chunk beyond it", chunked + "7fffffffffffffff\r\n", nil, 1, 413, "", true},
		{"an answer of the handler's own", chunked + chunks("1234", "56789"), func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusTeapot)
			io.WriteString(w, "too much tea")
		}, 1, 418, "too much tea", true},
		{"an answer that blames others", chunked + chunks("1234", "56789"), func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.Header().Set("X", "y")
			w.Header().Set("Content-Length", "3")
			w.WriteHeader(http.StatusBadGateway)
			n, werr := io.WriteString(w, "bad, very bad")
			assert.NoError(t, werr)
			assert.Equal(t, 13, n)
			_, werr = io.Copy(w, strings.NewReader("indeed"))
			assert.NoError(t, werr)
			assert.NoError(t, http.NewResponseController(w).Flush())
			w.Header().Set(http.TrailerPrefix+"X", "y")
		}, 1, 413, "", true},
		{"no answer", chunked + chunks("1234", "56789"), func(http.ResponseWriter, *http.Request, error) {}, 1, 413, "", true},
		{"malformed", chunked + "4\r\n1234XY", nil, 1, 400, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, o http1.ServerOptions) {
				t.Helper()
				o.MaxBodyBytes = 8
				var calls atomic.Int32
				s := newServer(t, o, func(w http.ResponseWriter, r *http.Request) {
					calls.Add(1)
					body, err := io.ReadAll(r.Body)
					switch {
					case c.handler != nil:
						_, typed := errors.AsType[*http.MaxBytesError](err)
						assert.True(t, typed, "%v", err)
						c.handler(w, r, err)
					case err != nil:
						http.Error(w, "not mine", http.StatusInternalServerError)
					default:
						_, _ = w.Write(body)
					}
				})
				defer s.Close()
				conn := dial(t, s)
				conn.send(c.send)
				resp, body := conn.response(http.MethodPost)
				assert.Equal(t, c.status, resp.StatusCode)
				assert.Equal(t, c.body, body)
				assert.Empty(t, resp.Header.Get("X"))
				assert.Equal(t, c.calls, calls.Load())
				assert.Equal(t, c.last, resp.Close)
				if !c.last {
					return
				}
				// The caller, still sending, is heard out until it has read the answer.
				_, err := io.WriteString(conn, strings.Repeat("x", 1<<10))
				require.NoError(t, err)
				conn.closed()
			})
		})
	}
}

// A response that has begun cannot be replaced; it ends early.
func TestServerBodyLimitAfterTheHead(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, o http1.ServerOptions) {
		t.Helper()
		o.MaxBodyBytes = 8
		s := newServer(t, o, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "begun")
			_ = http.NewResponseController(w).Flush()
			_, err := io.Copy(w, r.Body)
			var tooLong *http.MaxBytesError
			if assert.ErrorAs(t, err, &tooLong) {
				assert.EqualValues(t, 8, tooLong.Limit)
			}
			_, err = r.Body.Read(make([]byte, 1))
			assert.ErrorAs(t, err, &tooLong)
		})
		defer s.Close()
		conn := dial(t, s)
		conn.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks("1234", "56789") + "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		resp, body := conn.response(http.MethodPost)
		assert.Equal(t, 200, resp.StatusCode)
		assert.Equal(t, "begun1234", body)
		conn.closed()
	})
}
