package memhttp_test

import (
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/weft-mesh/weft/internal/memhttp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pipe() (*memhttp.Conn, *memhttp.Conn) {
	return memhttp.Pipe(&net.TCPAddr{Port: 1}, &net.TCPAddr{Port: 2})
}

func TestHalfClose(t *testing.T) {
	a, b := pipe()
	_, err := a.Write([]byte("hello"))
	require.NoError(t, err)
	require.NoError(t, a.CloseWrite())
	got, err := io.ReadAll(b)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(got))
	_, err = b.Write([]byte("still"))
	require.NoError(t, err, "the other direction is open")
	require.NoError(t, b.Close())
	got, err = io.ReadAll(a)
	require.NoError(t, err)
	assert.Equal(t, "still", string(got))
	_, err = a.Write([]byte("x"))
	require.Error(t, err)
}

func TestDeadlineEndsARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := pipe()
		require.NoError(t, a.SetReadDeadline(time.Now().Add(time.Second)))
		begun := time.Now()
		_, err := a.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(begun))
	})
}

func TestResetLosesWhatWasNotRead(t *testing.T) {
	a, b := pipe()
	_, err := a.Write([]byte("hello"))
	require.NoError(t, err)
	a.Reset()
	_, err = io.ReadAll(b)
	require.Error(t, err)
}

func TestServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n memhttp.Network
		srv, err := memhttp.Serve(&n, "10.0.0.1:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(5 * time.Second)
			_, _ = io.Copy(w, r.Body)
		}))
		require.NoError(t, err)
		tr := &http.Transport{DialContext: n.DialContext}
		long := strings.Repeat("x", 1<<20) // more than the buffers hold
		resp, err := (&http.Client{Transport: tr}).Post("http://10.0.0.1:80/", "text/plain", strings.NewReader(long))
		require.NoError(t, err)
		got, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, long, string(got))
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, 1, n.Dials("10.0.0.1:80"))

		srv.Listener.Kill()
		_, err = (&http.Client{Transport: tr}).Get("http://10.0.0.1:80/")
		require.ErrorContains(t, err, "refused")
		tr.CloseIdleConnections()
		require.NoError(t, srv.Close())
	})
}
