package file_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/storetest"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/file"
)

func open(tb testing.TB, path string) *file.Store {
	tb.Helper()
	s, err := file.Open(path, file.Options{})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

// quickDir returns a directory in memory, if there is such a file system: the disk of a
// test machine may take its time for each write, and what these tests are about does
// not depend on it. That a process is killed, for one, takes nothing from files.
func quickDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "weft-file-test") //nolint:usetesting // that is on the disk
	if err != nil {
		return tb.TempDir()
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func harness(t *testing.T) storetest.Harness {
	t.Helper()
	s := open(t, filepath.Join(quickDir(t), "dtabs.db"))
	return storetest.Harness{
		Open:           func(*testing.T) namerd.Store { return s },
		Fresh:          func(t *testing.T) namerd.Store { t.Helper(); return open(t, filepath.Join(quickDir(t), "dtabs.db")) },
		BadNamespaces:  []string{"", strings.Repeat("x", 1025), "\xff"},
		GoodNamespaces: []string{"a/b", ".", "..", "/", " ", "%2e", "Ünï", "a\nb", "a\x00b", strings.Repeat("x", 1024)},
		Runs:           30,
	}
}

func TestContract(t *testing.T) { harness(t).Run(t) }

// TestConcurrentWriters is 10,000 concurrent writers with compare-and-swap, and 8 of
// them who all want the same dtab. Under the race detector, which makes a goroutine
// cost a hundred times as much, there are 1000.
func TestConcurrentWriters(t *testing.T) {
	n := 10000
	if raceEnabled {
		n = 1000
	}
	t.Run("many writers", func(t *testing.T) {
		harness(t).Concurrent(t, storetest.Load{Writers: n, Writes: n, Namespaces: n / 20})
	})
	t.Run("one dtab", func(t *testing.T) {
		harness(t).Concurrent(t, storetest.Load{Writers: 8, Writes: n})
	})
}
