//go:build unix && !linux

package rawio

import (
	"errors"
	"syscall"
)

const supported = true

// Read reads from a non-blocking socket. again says that there is nothing to read.
func Read(fd uintptr, p []byte) (n int, again bool, err error) {
	return outcome(syscall.Read(int(fd), p))
}

// Write writes to a non-blocking socket. again says that there is no room.
func Write(fd uintptr, p []byte) (n int, again bool, err error) {
	return outcome(syscall.Write(int(fd), p))
}

func outcome(n int, err error) (int, bool, error) {
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR) {
		return 0, errors.Is(err, syscall.EAGAIN), nil
	}
	return n, false, err
}
