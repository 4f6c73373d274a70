package servers

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/weft-mesh/weft/internal/testtool"
)

// PodNetwork is the network whose addresses Addresses makes this machine's.
const PodNetwork = "10.77.0.0/16"

// Addresses makes all addresses of PodNetwork addresses of this machine, for
// endpoints that may not be on loopback addresses. They stay. It needs root and ip(8).
func Addresses(tb testing.TB) {
	tb.Helper()
	ip := testtool.Installed(tb, "ip", "iproute2")
	// One after the other: several test binaries may want it at the same time.
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "weft-addresses.lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		tb.Fatalf("servers: %v", err)
	}
	defer lock.Close() //nolint:errcheck // gives the lock back
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		tb.Fatalf("servers: %v", err)
	}
	if out, err := exec.CommandContext(tb.Context(), ip, "addr", "show", "dev", "lo").Output(); err == nil && strings.Contains(string(out), " 10.77.0.1/16 ") {
		return
	}
	if out, err := exec.CommandContext(tb.Context(), ip, "addr", "add", "10.77.0.1/16", "dev", "lo").CombinedOutput(); err != nil {
		testtool.Missing(tb, "servers: the addresses of %s: %v: %s", PodNetwork, err, out)
	}
}
