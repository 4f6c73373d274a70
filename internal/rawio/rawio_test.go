package rawio_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/rawio"
	"github.com/weft-mesh/weft/internal/testcert"
)

func pair(t *testing.T) (*net.TCPConn, *net.TCPConn) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	a, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
	require.NoError(t, err)
	b, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { a.Close(); b.Close() })
	return a.(*net.TCPConn), b.(*net.TCPConn)
}

func TestBytesArriveAsTheyWere(t *testing.T) {
	a, b := pair(t)
	sa, sb := rawio.New(a), rawio.New(b)
	data := make([]byte, 5<<20)
	for i := range data {
		data[i] = byte(rand.Uint32())
	}
	sent := make(chan error, 1)
	go func() {
		rest := data
		for len(rest) > 0 { // more than the socket takes: writes have to wait, in pieces of all sizes
			n, err := sa.Write(rest[:min(len(rest), 1+rand.IntN(100<<10))])
			if err != nil {
				sent <- err
				return
			}
			rest = rest[n:]
		}
		sent <- a.CloseWrite()
	}()
	got, err := io.ReadAll(sb)
	require.NoError(t, err)
	require.NoError(t, <-sent)
	assert.True(t, bytes.Equal(data, got))
}

func TestTLSOverIt(t *testing.T) {
	a, b := pair(t)
	f := testcert.NewFiles(t, "server")
	server := tls.Server(rawio.Wrap(a), f.Pair(t).Config(t))
	client := tls.Client(rawio.Wrap(b), &tls.Config{InsecureSkipVerify: true})
	go func() {
		_, _ = io.Copy(server, server)
		_ = server.Close()
	}()
	data := bytes.Repeat([]byte("0123456789"), 100<<10)
	go func() {
		_, _ = client.Write(data)
		_ = client.CloseWrite()
	}()
	got, err := io.ReadAll(client)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(data, got))
}

func TestDeadlinesAndClose(t *testing.T) {
	a, b := pair(t)
	s := rawio.New(a)
	require.NoError(t, a.SetReadDeadline(time.Now().Add(10*time.Millisecond)))
	_, err := s.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, a.SetDeadline(time.Now().Add(10*time.Millisecond)))
	for err = nil; err == nil; {
		_, err = s.Write(make([]byte, 60<<10))
	}
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	assert.True(t, timeout.Timeout())

	require.NoError(t, b.SetLinger(0))
	require.NoError(t, b.Close())
	require.NoError(t, a.SetDeadline(time.Time{}))
	for err = nil; err == nil; {
		_, err = s.Read(make([]byte, 1<<10))
	}
	assert.True(t, errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF), "%v", err)
	require.NoError(t, a.Close())
	_, err = s.Read(make([]byte, 1))
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = s.Write(make([]byte, 1))
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestHungUp(t *testing.T) {
	for name, leave := range map[string]func(*net.TCPConn) error{
		"closed":      func(c *net.TCPConn) error { return c.Close() },
		"half closed": func(c *net.TCPConn) error { return c.CloseWrite() },
		"reset": func(c *net.TCPConn) error {
			if err := c.SetLinger(0); err != nil {
				return err
			}
			return c.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := pair(t)
			s := rawio.New(a)
			gone, ok := s.HungUp()
			if !ok {
				t.Skip("this system cannot tell")
			}
			assert.False(t, gone)
			_, err := b.Write([]byte("more")) // hides nothing
			require.NoError(t, err)
			time.Sleep(5 * time.Millisecond)
			gone, _ = s.HungUp()
			assert.False(t, gone, "with something unread")
			require.NoError(t, leave(b))
			assert.Eventually(t, func() bool { gone, _ = s.HungUp(); return gone }, time.Second, time.Millisecond)
		})
	}
}

func TestReadInto(t *testing.T) {
	a, b := pair(t)
	s := rawio.New(a)
	var buf []byte
	asked, waited := 0, 0
	done := make(chan struct{})
	go func() {
		defer close(done)
		n, err := s.ReadInto(func() []byte { asked++; buf = make([]byte, 10); return buf }, func() { waited++; buf = nil })
		assert.NoError(t, err)
		assert.Equal(t, "hello", string(buf[:n]))
	}()
	time.Sleep(10 * time.Millisecond)
	_, err := b.Write([]byte("hello"))
	require.NoError(t, err)
	<-done
	assert.Equal(t, waited+1, asked)
	assert.Positive(t, waited)
}

func TestNoSocket(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	assert.Nil(t, rawio.New(a))
}

// Memory that was read into or written from is not held on to.
func TestSocketLetsGo(t *testing.T) {
	a, b := pair(t)
	sa, sb := rawio.New(a), rawio.New(b)
	freed := make(chan struct{}, 2)
	func() {
		out, in := make([]byte, 100), make([]byte, 100)
		runtime.SetFinalizer(&out[0], func(*byte) { freed <- struct{}{} })
		runtime.SetFinalizer(&in[0], func(*byte) { freed <- struct{}{} })
		_, err := sa.Write(out)
		require.NoError(t, err)
		_, err = io.ReadFull(sb, in)
		require.NoError(t, err)
	}()
	for n := 0; n < 2; {
		runtime.GC()
		select {
		case <-freed:
			n++
		case <-time.After(10 * time.Second):
			t.Fatal("the memory is still referred to")
		}
	}
	runtime.KeepAlive(sa)
	runtime.KeepAlive(sb)
}
