//go:build !race && !386 && !s390x

package rawio

import (
	"io"
	"syscall"
	"unsafe"
)

const supported = true

// Neither call waits, even if somebody has made the socket a blocking one by way of a
// duplicate of its descriptor: the processor would be lost until it returned.
const (
	receiving = syscall.MSG_DONTWAIT
	sending   = syscall.MSG_DONTWAIT | syscall.MSG_NOSIGNAL
)

// Read reads from a socket. again says that there is nothing to read.
func Read(fd uintptr, p []byte) (n int, again bool, err error) {
	return call(syscall.SYS_RECVFROM, fd, p, receiving)
}

// Write writes to a socket. again says that there is no room.
func Write(fd uintptr, p []byte) (n int, again bool, err error) {
	n, again, err = call(syscall.SYS_SENDTO, fd, p, sending)
	if n == 0 && !again && err == nil && len(p) > 0 {
		err = io.ErrUnexpectedEOF // as package net has it; whoever tries again would do so for ever
	}
	return n, again, err
}

func call(trap, fd uintptr, p []byte, flags uintptr) (n int, again bool, err error) {
	for {
		r, _, errno := syscall.RawSyscall6(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
		switch errno {
		case 0:
			return int(r), false, nil //nolint:gosec // at most len(p)
		case syscall.EINTR:
		case syscall.EAGAIN:
			return 0, true, nil
		default:
			return 0, false, errno
		}
	}
}
