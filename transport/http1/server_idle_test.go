//go:build linux

package http1_test

import (
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/transport/http1"
)

// TestServerIdleMemory measures what a connection costs, at both ends of it, while it is idle after a
// request: the caller's end is a file descriptor and little else.
func TestServerIdleMemory(t *testing.T) {
	if testing.Short() || http1.RaceEnabled {
		t.Skip("it takes seconds and measures memory")
	}
	n := 10_000
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	limit.Cur = limit.Max
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) // as many as there may be
	n = min(n, int(limit.Cur/2)-100)
	at := onTCP(t, newServer(t, http1.ServerOptions{Recycle: true}, benchHandler))
	raddr, err := net.ResolveTCPAddr("tcp", at)
	require.NoError(t, err)
	used := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	before := used()
	fds := make([]int, 0, n)
	defer func() {
		for _, fd := range fds {
			syscall.Close(fd)
		}
	}()
	buf := make([]byte, 4096)
	to := &syscall.SockaddrInet4{Port: raddr.Port, Addr: [4]byte(raddr.IP.To4())}
	for range n {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
		require.NoError(t, err)
		fds = append(fds, fd)
		require.NoError(t, syscall.Connect(fd, to))
		_, err = syscall.Write(fd, []byte(benchRequest))
		require.NoError(t, err)
		_, err = syscall.Read(fd, buf)
		require.NoError(t, err)
	}
	deadline := time.Now().Add(20 * time.Second)
	per := uint64(1 << 20)
	for per > 8<<10 && time.Now().Before(deadline) {
		time.Sleep(1500 * time.Millisecond)
		per = (used() - before) / uint64(n)
	}
	t.Logf("%d idle connections, %d bytes each", n, per)
	assert.LessOrEqual(t, per, uint64(12<<10))
}
