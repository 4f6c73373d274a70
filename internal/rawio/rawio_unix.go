//go:build unix && (!linux || race || 386 || s390x)

package rawio

import (
	"io"
	"syscall"
)

// The race detector knows what happens before what in programs that wait for each other
// by way of a connection, because package syscall tells it. Under it, that is used.

const supported = true

// Read reads from a non-blocking socket. again says that there is nothing to read.
func Read(fd uintptr, p []byte) (n int, again bool, err error) {
	return call(syscall.Read, fd, p)
}

// Write writes to a non-blocking socket. again says that there is no room.
func Write(fd uintptr, p []byte) (n int, again bool, err error) {
	n, again, err = call(syscall.Write, fd, p)
	if n == 0 && !again && err == nil && len(p) > 0 {
		err = io.ErrUnexpectedEOF // as package net has it; whoever tries again would do so for ever
	}
	return n, again, err
}

func call(do func(int, []byte) (int, error), fd uintptr, p []byte) (int, bool, error) {
	for {
		n, err := do(int(fd), p)
		switch err { //nolint:errorlint // the system's own numbers
		case nil:
			return n, false, nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			return 0, true, nil
		default:
			return 0, false, err
		}
	}
}
