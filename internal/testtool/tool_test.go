package testtool_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/testtool"
)

func TestAToolIsBuiltOnce(t *testing.T) {
	t.Setenv("WEFT_TEST_CACHE", t.TempDir())
	paths := make([]string, 4)
	var all sync.WaitGroup
	for i := range paths {
		all.Go(func() { paths[i] = testtool.Get(t, testtool.H2Spec) })
	}
	all.Wait()
	for _, p := range paths {
		assert.Equal(t, paths[0], p)
	}
	before, err := os.Stat(paths[0])
	require.NoError(t, err)
	require.NoError(t, os.Chtimes(paths[0], time.Time{}, time.Unix(1, 0)))
	assert.Equal(t, paths[0], testtool.Get(t, testtool.H2Spec))
	after, err := os.Stat(paths[0])
	require.NoError(t, err)
	assert.Equal(t, time.Unix(1, 0), after.ModTime(), "it was built again")
	assert.Positive(t, before.Size())
	entries, err := filepath.Glob(filepath.Join(filepath.Dir(paths[0]), "*"))
	require.NoError(t, err)
	assert.Len(t, entries, 2, "the tool and its lock: %v", entries)
}

func TestWhatCannotBeBuiltIsAnError(t *testing.T) {
	_, err := testtool.Tool("example.com/none").Path()
	require.ErrorIs(t, err, testtool.ErrUnknown)

	t.Setenv("WEFT_TEST_CACHE", filepath.Join(t.TempDir(), "file"))
	dir, err := testtool.Cache()
	require.NoError(t, err)
	require.NoError(t, os.Remove(dir))
	require.NoError(t, os.WriteFile(dir, nil, 0o600))
	_, err = testtool.H2Spec.Path()
	require.ErrorContains(t, err, "testtool: mkdir "+dir)

	t.Chdir("/")
	_, err = testtool.H2Spec.Path()
	assert.ErrorContains(t, err, "not in a checkout of weft")
}

func TestWhatIsMissingFailsWhenItIsRequired(t *testing.T) {
	for _, row := range []struct {
		ci, real string
		want     bool
	}{
		{"", "", false},
		{"", "0", false},
		{"true", "", true},
		{"", "1", true},
		{"1", "", false},
	} {
		env := map[string]string{"CI": row.ci, "WEFT_REAL": row.real}
		assert.Equal(t, row.want, testtool.Required(func(k string) string { return env[k] }), row)
	}
	t.Setenv("CI", "")
	t.Setenv("WEFT_REAL", "")
	var sub *testing.T
	t.Run("missing", func(t *testing.T) {
		sub = t
		testtool.Installed(t, "no-such-program", "no-such-package")
	})
	assert.True(t, sub.Skipped())
}
