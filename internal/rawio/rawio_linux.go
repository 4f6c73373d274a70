package rawio

import (
	"syscall"
	"unsafe"
)

const supported = true

// Read reads from a non-blocking socket. again says that there is nothing to read.
func Read(fd uintptr, p []byte) (n int, again bool, err error) {
	return call(syscall.SYS_READ, fd, p)
}

// Write writes to a non-blocking socket. again says that there is no room.
func Write(fd uintptr, p []byte) (n int, again bool, err error) {
	return call(syscall.SYS_WRITE, fd, p)
}

func call(trap, fd uintptr, p []byte) (n int, again bool, err error) {
	for {
		r, _, errno := syscall.RawSyscall(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
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
