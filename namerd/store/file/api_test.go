package file_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/apitest"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/file"
)

// TestAPI is the vectors of namerd's HTTP API over the embedded store, whose versions
// are those of io.l5d.inMemory.
func TestAPI(t *testing.T) {
	apitest.Run(t, func(t *testing.T) namerd.Store {
		t.Helper()
		s, err := file.Open(filepath.Join(t.TempDir(), "namerd.db"), file.Options{})
		require.NoError(t, err)
		return s
	}, apitest.Options{Literal: true})
}
