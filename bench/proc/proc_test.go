package proc

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseStat(t *testing.T) {
	u, err := parseStat("12 (a (b) c) S 1 12 12 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 1 0 100 2000 25 18446744073709551615", 4096)
	require.NoError(t, err)
	assert.Equal(t, Usage{CPU: 2 * time.Second, RSS: 25 * 4096}, u)

	_, err = parseStat("12 (x) S 1", 4096)
	assert.Error(t, err)
	_, err = parseStat("", 4096)
	assert.Error(t, err)
}

func TestUsageCountsChildren(t *testing.T) {
	p, err := Start(t.Context(), t.TempDir(), nil, "sh", "-c", `sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo done; sleep 60' & wait`)
	require.NoError(t, err)
	defer p.Stop()
	require.Eventually(t, func() bool { return p.Output() == "done" }, 20*time.Second, 10*time.Millisecond)
	assert.GreaterOrEqual(t, len(tree(p.cmd.Process.Pid)), 2)
	u, err := p.Usage()
	require.NoError(t, err)
	assert.Greater(t, u.CPU, 50*time.Millisecond)
	assert.Greater(t, u.RSS, int64(os.Getpagesize()))
}

func TestFrozenProcessUsesNoCPU(t *testing.T) {
	p, err := Start(t.Context(), t.TempDir(), nil, "sh", "-c", "while :; do :; done")
	require.NoError(t, err)
	defer p.Stop()
	p.Freeze()
	time.Sleep(50 * time.Millisecond) // the signal is delivered at the next tick
	before, err := p.Usage()
	require.NoError(t, err)
	time.Sleep(100 * time.Millisecond)
	after, err := p.Usage()
	require.NoError(t, err)
	assert.Equal(t, before.CPU, after.CPU)
	p.Thaw()
	assert.Eventually(t, func() bool { u, err := p.Usage(); return err == nil && u.CPU > after.CPU }, 5*time.Second, 10*time.Millisecond)
}

func TestStopEndsChildren(t *testing.T) {
	p, err := Start(t.Context(), t.TempDir(), nil, "sh", "-c", "trap '' TERM; sleep 60")
	require.NoError(t, err)
	p.Freeze()
	p.Stop()
	select {
	case <-p.Ended():
	default:
		t.Fatal("Stop returned before the process had ended")
	}
	_, err = p.Usage()
	assert.Error(t, err)
}
