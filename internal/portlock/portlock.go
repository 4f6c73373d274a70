// Package portlock lets tests that need the fixed ports of published configurations
// (4140, 4141, 9990, …) take turns. `go test ./...` runs the test binaries of
// several packages at once, and so may somebody else on the same machine; a lock
// within one process would not do.
package portlock

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for its turn: longer than all tests that take
// the lock need together.
const patience = 4 * time.Minute

// Acquire waits until no other test of any process holds the lock and until each of
// the ports can be listened on at 127.0.0.1, and holds the lock until tb and its
// subtests have ended. It fails tb after four minutes. A process that dies gives its
// lock back.
//
// Cleanups run last in, first out: call Acquire before anything is started that
// listens.
func Acquire(tb testing.TB, ports ...int) {
	tb.Helper()
	deadline := time.Now().Add(patience)
	f, err := lock(filepath.Join(os.TempDir(), "weft-ports.lock"), deadline)
	if err != nil {
		tb.Fatalf("portlock: %v", err)
	}
	tb.Cleanup(func() { _ = f.Close() }) // and with it the lock
	for _, p := range ports {
		if err := free(p, deadline); err != nil {
			tb.Fatalf("portlock: %v", err)
		}
	}
}

// lock takes an exclusive flock(2) on the file at path. It asks again and again
// instead of blocking in the kernel, which no deadline would end.
func lock(path string, deadline time.Time) (*os.File, error) {
	// Reading is enough to lock, and leaves the file of another user usable.
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		f, err = os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o644)
	}
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return f, nil
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), f.Close())
		case time.Now().After(deadline):
			return nil, errors.Join(fmt.Errorf("%s is still locked by another test after %v", path, patience), f.Close())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// free waits until a port can be listened on: a process that held the lock before
// may not be quite gone.
func free(port int, deadline time.Time) error {
	for {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)) //nolint:noctx // opens at once
		if err == nil {
			return l.Close()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("port %d is not free: %w", port, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
