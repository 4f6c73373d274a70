package viz_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/viz"
)

// dir is what this package makes files for.
const dir = "../../deploy/viz"

var rewrite = flag.Bool("rewrite", false, "rewrite the generated files of deploy/viz")

// TestFiles compares the generated files with what they are generated from.
func TestFiles(t *testing.T) {
	same := func(file, want string) {
		t.Helper()
		file = filepath.Join(dir, file)
		if *rewrite {
			require.NoError(t, os.WriteFile(file, []byte(want), 0o644)) //nolint:gosec // for everybody
		}
		got, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, want, string(got), "%s: go test ./internal/viz -rewrite", file)
	}
	for _, d := range []viz.Dashboard{viz.Overview(), viz.Health()} {
		text, err := d.Encode()
		require.NoError(t, err)
		same("grafana/dashboards/"+d.UID+".json", string(text))
	}
	text, err := viz.Manifest(os.DirFS(dir))
	require.NoError(t, err)
	same("kubernetes/viz.yaml", text)
}
