package portlock

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLockExcludesOthersUntilItIsGivenBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := lock(path, time.Now().Add(time.Minute))
	require.NoError(t, err)

	_, err = lock(path, time.Now().Add(-time.Second))
	require.ErrorContains(t, err, "still locked")

	got := make(chan error, 1)
	go func() {
		second, err := lock(path, time.Now().Add(time.Minute))
		if err == nil {
			err = second.Close()
		}
		got <- err
	}()
	select {
	case err := <-got:
		t.Fatalf("taken twice (%v)", err)
	case <-time.After(100 * time.Millisecond):
	}
	require.NoError(t, first.Close())
	require.NoError(t, <-got)
}

func TestAProcessThatDiesGivesItsLockBack(t *testing.T) {
	if path := os.Getenv("PORTLOCK_HOLD"); path != "" { // the child
		_, err := lock(path, time.Now().Add(time.Minute))
		require.NoError(t, err)
		_, _ = os.Stdout.WriteString("locked\n")
		select {} // until killed
	}
	path := filepath.Join(t.TempDir(), "lock")
	child := exec.Command(os.Args[0], "-test.run=^TestAProcessThatDiesGivesItsLockBack$")
	child.Env = append(os.Environ(), "PORTLOCK_HOLD="+path)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	line := make([]byte, len("locked\n"))
	_, err = out.Read(line)
	require.NoError(t, err)
	require.Equal(t, "locked\n", string(line))

	_, err = lock(path, time.Now().Add(-time.Second))
	require.Error(t, err)
	require.NoError(t, child.Process.Kill())
	_ = child.Wait()
	f, err := lock(path, time.Now().Add(time.Minute))
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func TestFreeWaitsForThePort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.ErrorContains(t, free(port, time.Now().Add(-time.Second)), "not free")
	require.NoError(t, l.Close())
	assert.NoError(t, free(port, time.Now().Add(time.Minute)))
}

func TestAcquireIsReleasedByCleanup(t *testing.T) {
	for range 3 {
		t.Run("turn", func(t *testing.T) { Acquire(t) })
	}
}
