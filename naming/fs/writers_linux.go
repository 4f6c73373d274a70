package fs

import (
	"os"
	"syscall"
)

// openForWriting reports whether any process has f open for writing. A read lease
// is granted for files that nobody has; it is given back at once, and whoever
// opens the file meanwhile waits for that. Where leases are not to be had (a
// file of another user, a network file system) the answer is false.
func openForWriting(f *os.File) bool {
	const setLease = 1024 // F_SETLEASE
	conn, err := f.SyscallConn()
	if err != nil {
		return false
	}
	var errno syscall.Errno
	err = conn.Control(func(fd uintptr) {
		if _, _, errno = syscall.Syscall(syscall.SYS_FCNTL, fd, setLease, syscall.F_RDLCK); errno == 0 {
			_, _, _ = syscall.Syscall(syscall.SYS_FCNTL, fd, setLease, syscall.F_UNLCK)
		}
	})
	return err == nil && errno == syscall.EAGAIN
}
