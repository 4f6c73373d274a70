package http1_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/transport/http1"
)

// onTCP serves s on loopback and returns its address.
func onTCP(tb testing.TB, s *http1.Server) string {
	tb.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	tb.Cleanup(func() {
		assert.NoError(tb, s.Close())
		assert.ErrorIs(tb, <-ended, http.ErrServerClosed)
	})
	return l.Addr().String()
}

// spy is a connection's writing end that says how long bodies come to it.
type spy struct {
	*net.TCPConn
	whole int64
}

func (s *spy) ReadFrom(r io.Reader) (int64, error) {
	n, err := s.TCPConn.ReadFrom(r)
	s.whole += n
	return n, err
}

// TestServerLongBodies moves bodies that the kernel can move, both ways, and compares every byte.
func TestServerLongBodies(t *testing.T) {
	t.Parallel()
	data := make([]byte, 5<<20)
	rand.NewChaCha8([32]byte{1}).Read(data)
	sum := sha256.Sum256(data)
	file := filepath.Join(t.TempDir(), "data")
	require.NoError(t, os.WriteFile(file, data, 0o600))

	// An origin that the server relays from and to, by hand.
	origin, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer origin.Close()
	got := make(chan [32]byte, 1)
	go func() {
		for {
			c, err := origin.Accept()
			if err != nil {
				return
			}
			kind := make([]byte, 1)
			io.ReadFull(c, kind)
			if kind[0] == 'd' {
				c.Write(data)
			} else {
				h := sha256.New()
				io.Copy(h, c)
				got <- [32]byte(h.Sum(nil))
			}
			c.Close()
		}
	}()

	for name, o := range map[string]http1.ServerOptions{
		"kernel": {}, "timeouts": {ReadTimeout: time.Minute, WriteTimeout: time.Minute, Recycle: true},
	} {
		t.Run(name, func(t *testing.T) {
			spliced := int64(0)
			at := onTCP(t, newServer(t, o, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/file" {
					http.ServeFile(w, r, file)
					return
				}
				c, err := net.Dial("tcp", origin.Addr().String())
				if !assert.NoError(t, err) {
					return
				}
				defer c.Close()
				if r.Method == http.MethodGet {
					c.Write([]byte("d"))
					w.Header().Set("Content-Length", strconv.Itoa(len(data)))
					n, err := io.Copy(w, io.LimitReader(c, int64(len(data))))
					assert.NoError(t, err)
					assert.EqualValues(t, len(data), n)
					return
				}
				c.Write([]byte("u"))
				to := &spy{TCPConn: c.(*net.TCPConn)}
				n, err := r.Body.(io.WriterTo).WriteTo(to)
				assert.NoError(t, err)
				assert.EqualValues(t, len(data), n)
				spliced = to.whole
				_, err = r.Body.Read(make([]byte, 1))
				assert.Equal(t, io.EOF, err)
			}))
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for range 2 {
				for _, path := range []string{"/file", "/relay"} {
					resp, err := client.Get("http://" + at + path)
					require.NoError(t, err)
					body, err := io.ReadAll(resp.Body)
					require.NoError(t, err)
					resp.Body.Close()
					assert.True(t, bytes.Equal(data, body))
				}
				resp, err := client.Post("http://"+at+"/relay", "", bytes.NewReader(data))
				require.NoError(t, err)
				resp.Body.Close()
				assert.Equal(t, sum, <-got)
				if name == "kernel" {
					assert.Greater(t, spliced, int64(4<<20))
				} else {
					assert.Zero(t, spliced)
				}
			}
		})
	}
}

// TestServerReset has a caller abort instead of close.
func TestServerReset(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	at := onTCP(t, newServer(t, http1.ServerOptions{Recycle: true}, func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(gone)
	}))
	c, err := net.Dial("tcp", at)
	require.NoError(t, err)
	io.WriteString(c, plainGet)
	time.Sleep(20 * time.Millisecond)
	require.NoError(t, c.(*net.TCPConn).SetLinger(0))
	c.Close()
	<-gone
}

// TestServerLingers has an answer reach a caller that has sent more than was read.
func TestServerLingers(t *testing.T) {
	t.Parallel()
	at := onTCP(t, newServer(t, http1.ServerOptions{}, func(http.ResponseWriter, *http.Request) {}))
	for range 20 {
		c, err := net.Dial("tcp", at)
		require.NoError(t, err)
		io.WriteString(c, "nonsense\r\n\r\n")
		c.Write(make([]byte, 100_000))
		c.(*net.TCPConn).CloseWrite()
		answer, err := io.ReadAll(c)
		assert.NoError(t, err)
		assert.Contains(t, string(answer), "400 Bad Request")
		c.Close()
	}
}

// TestCleartextToTLS is answered in words that the caller understands.
func TestCleartextToTLS(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := http1.NewServer(http1.ServerOptions{Handler: http.NotFoundHandler()})
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(http1.NewTLSListener(l, testcert.NewFiles(t, "server").Pair(t).Config(t))) }()
	resp, err := http.Get("http://" + l.Addr().String() + "/")
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
	assert.Equal(t, "Client sent an HTTP request to an HTTPS server.\n", string(body))
	require.NoError(t, s.Close())
	require.ErrorIs(t, <-ended, http.ErrServerClosed)
}
