package http1_test

import (
	"bufio"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/transport/http1"
)

// summing answers with the sum of the body, early if it is asked to, after a while if it
// is asked to, or not at all.
func summing(c *net.TCPConn) {
	r := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		how := req.URL.Query()
		if how.Has("slow") {
			time.Sleep(8 * time.Millisecond) // for the watch to look
		}
		if how.Has("die") {
			return
		}
		if how.Has("early") {
			_, _ = io.WriteString(c, ok)
			_, _ = io.CopyN(io.Discard, req.Body, 1000)
			return
		}
		if req.Header.Get("Expect") != "" {
			_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
		}
		sum := crc32.NewIEEE()
		n, err := io.Copy(sum, req.Body)
		if err != nil {
			return
		}
		text := fmt.Sprintf("%d %x", n, sum.Sum32())
		text += strings.Repeat(" ", int(min(n, 200_000))) // long enough to be spliced
		if how.Has("chunked") {
			_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(text), text)
		} else {
			_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
		}
	}
}

// Sockets are read by one goroutine at a time and written by one, whatever callers and
// endpoints do in the middle of requests: the race detector would tell, or sums be wrong.
func TestSocketsHaveOneReaderAndOneWriter(t *testing.T) {
	for _, recycle := range []bool{false, true} {
		t.Run(fmt.Sprint("recycle=", recycle), func(t *testing.T) {
			p := http1.NewPool(http1.PoolOptions{Dial: listen(t, summing), Recycle: recycle})
			defer p.Close()
			s := http1.NewServer(http1.ServerOptions{Recycle: recycle, Hangup: time.Millisecond, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				out := r.Clone(r.Context())
				out.URL.Host = "web"
				resp, err := p.RoundTrip(out)
				if err != nil {
					w.WriteHeader(http.StatusBadGateway)
					return
				}
				defer resp.Body.Close()
				if n := resp.ContentLength; n >= 0 {
					w.Header().Set("Content-Length", fmt.Sprint(n))
				}
				w.WriteHeader(resp.StatusCode)
				_, _ = io.Copy(w, resp.Body)
			})})
			defer s.Close()
			dial := listen(t, func(c *net.TCPConn) { s.ServeConn(c) })
			var wg sync.WaitGroup
			var whole atomic.Int64
			end := time.Now().Add(time.Second)
			for range 6 {
				wg.Go(func() {
					for time.Now().Before(end) || whole.Load() <= 20 {
						whole.Add(converse(t, dial))
					}
				})
			}
			wg.Wait()
			require.NoError(t, s.Close())
			open, idle, _ := p.Stats()
			assert.Equal(t, open, idle, "nothing is under way any more")
			assert.Greater(t, whole.Load(), int64(20))
		})
	}
}

// converse makes a few requests on a connection, and may leave in the middle of one. It
// returns how many came to their end.
func converse(t *testing.T, dial func(context.Context) (net.Conn, error)) (whole int64) {
	t.Helper()
	conn, err := dial(context.Background())
	require.NoError(t, err)
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	br := bufio.NewReader(conn)
	for range 1 + rand.IntN(6) {
		body := pattern([]int{0, 10, 5_000, 100_000, 400_000}[rand.IntN(5)])
		query := []string{"?", "?", "?slow", "?chunked", "?slow&chunked", "?early", "?die"}[rand.IntN(7)]
		head, pieces := fmt.Sprintf("PUT /%s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n", query, len(body)), [][]byte{body}
		if rand.IntN(2) == 0 {
			head = fmt.Sprintf("PUT /%s HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n", query)
			pieces = nil
			for rest := body; len(rest) > 0; {
				n := min(len(rest), 1+rand.IntN(50_000))
				pieces = append(pieces, fmt.Appendf(nil, "%x\r\n%s\r\n", n, rest[:n]))
				rest = rest[n:]
			}
			pieces = append(pieces, []byte("0\r\n\r\n"))
		}
		if rand.IntN(4) == 0 {
			head += "Expect: 100-continue\r\n"
		}
		leave := rand.IntN(12) == 0
		if leave {
			pieces = pieces[:rand.IntN(len(pieces)+1)]
		}
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			_, _ = io.WriteString(conn, head+"\r\n")
			for _, p := range pieces {
				if rand.IntN(8) == 0 {
					time.Sleep(3 * time.Millisecond)
				}
				if _, err := conn.Write(p); err != nil {
					return
				}
			}
		}()
		if leave {
			<-sent
			return whole
		}
		status, text, err := finalResponse(br)
		if status == http.StatusOK && !strings.Contains(query, "early") && assert.NoError(t, err) {
			assert.Equal(t, fmt.Sprintf("%d %x", len(body), crc32.ChecksumIEEE(body)), strings.TrimSpace(text))
		}
		if err != nil || status != http.StatusOK || strings.Contains(query, "early") {
			_ = conn.Close()
			<-sent
			return whole
		}
		<-sent
		whole++
	}
	return whole
}

func finalResponse(br *bufio.Reader) (status int, body string, err error) {
	for {
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			return 0, "", err
		}
		if resp.StatusCode < 200 {
			continue
		}
		b, err := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b), err
	}
}
