//go:build linux && (amd64 || arm64)

package http1

import (
	"net"
	"syscall"
	"unsafe"
)

// acked returns how many bytes the endpoint's kernel has acknowledged on c, and whether
// that is known. The opening of the connection counts as one.
func acked(c *net.TCPConn) (n int64, known bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, false
	}
	// struct tcp_info of linux/tcp.h, as far as tcpi_bytes_acked.
	var info struct {
		_     [120]byte
		acked uint64
	}
	size := uint32(unsafe.Sizeof(info))
	var failed syscall.Errno
	err = raw.Control(func(fd uintptr) {
		_, _, failed = syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP, syscall.TCP_INFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	})
	if err != nil || failed != 0 || size < uint32(unsafe.Sizeof(info)) {
		return 0, false
	}
	return int64(info.acked), true
}
