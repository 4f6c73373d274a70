package rawio

import (
	"syscall"
	"unsafe"
)

// canTell says that HungUp works.
const canTell = true

// Of poll(2).
const (
	pollErr   = 0x8
	pollHup   = 0x10
	pollRdHup = 0x2000
)

// hungUp asks poll(2), without waiting.
func hungUp(fd uintptr) bool {
	p := struct {
		fd              int32
		events, revents int16
	}{fd: int32(fd), events: pollRdHup} //nolint:gosec // a file descriptor
	var now syscall.Timespec
	n, _, errno := syscall.RawSyscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	return errno == 0 && n > 0 && p.revents&(pollErr|pollHup|pollRdHup) != 0
}
