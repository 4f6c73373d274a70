package memory_test

import (
	"strings"
	"testing"

	"github.com/weft-mesh/weft/internal/storetest"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/memory"
)

func harness(t *testing.T) storetest.Harness {
	t.Helper()
	s := memory.New(memory.Options{})
	t.Cleanup(func() { _ = s.Close() })
	return storetest.Harness{
		Open: func(*testing.T) namerd.Store { return s },
		Fresh: func(t *testing.T) namerd.Store {
			t.Helper()
			fresh := memory.New(memory.Options{})
			t.Cleanup(func() { _ = fresh.Close() })
			return fresh
		},
		BadNamespaces:  []string{"", strings.Repeat("x", 1025), "\xff"},
		GoodNamespaces: []string{"a/b", ".", "..", "/", " ", "%2e", "Ünï", "a\nb", strings.Repeat("x", 1024)},
		Runs:           100,
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
