package file_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/storetest"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/file"
)

func open(t testing.TB, path string) *file.Store {
	t.Helper()
	s, err := file.Open(path, file.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func harness(t *testing.T) storetest.Harness {
	t.Helper()
	s := open(t, filepath.Join(t.TempDir(), "dtabs.db"))
	return storetest.Harness{
		Open:           func(*testing.T) namerd.Store { return s },
		Fresh:          func(t *testing.T) namerd.Store { t.Helper(); return open(t, filepath.Join(t.TempDir(), "dtabs.db")) },
		BadNamespaces:  []string{"", strings.Repeat("x", 1025), "\xff"},
		GoodNamespaces: []string{"a/b", ".", "..", "/", " ", "%2e", "Ünï", "a\nb", "a\x00b", strings.Repeat("x", 1024)},
		Runs:           100,
	}
}

func TestContract(t *testing.T) { harness(t).Run(t) }

// TestConcurrentWriters is 10,000 concurrent writers with compare-and-swap, and 16 of
// them who all want the same dtab.
func TestConcurrentWriters(t *testing.T) {
	t.Run("many writers", func(t *testing.T) {
		harness(t).Concurrent(t, storetest.Load{Writers: 10000, Writes: 10000, Namespaces: 100})
	})
	t.Run("one dtab", func(t *testing.T) {
		harness(t).Concurrent(t, storetest.Load{Writers: 16, Writes: 10000})
	})
}
