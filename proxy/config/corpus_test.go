package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/weft-mesh/weft/proxy/config"
)

// corpus returns the published configurations by file name; those of the k8s
// examples are taken out of their ConfigMap.
func corpus(tb testing.TB) map[string][]byte {
	tb.Helper()
	all := map[string][]byte{}
	require.NoError(tb, filepath.WalkDir("testdata/corpus", func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all[path] = data
		return err
	}))
	for path, data := range all {
		if !regexp.MustCompile(`(?m)^kind: ConfigMap`).Match(data) {
			continue
		}
		dec := yaml.NewDecoder(bytes.NewReader(data))
		for {
			var m struct {
				Kind string            `yaml:"kind"`
				Data map[string]string `yaml:"data"`
			}
			if err := dec.Decode(&m); errors.Is(err, io.EOF) {
				break
			}
			if m.Kind == "ConfigMap" {
				for _, text := range m.Data {
					all[path] = []byte(text)
				}
			}
		}
	}
	require.GreaterOrEqual(tb, len(all), 38)
	return all
}

func TestCorpusLoads(t *testing.T) {
	for path, data := range corpus(t) {
		t.Run(path, func(t *testing.T) {
			l, err := config.Load(path, data, lenient(t))
			require.NoError(t, err)
			require.NotEmpty(t, l.Routers)
			text, err := l.JSON()
			require.NoError(t, err)

			again, err := config.Load(path, text, lenient(t))
			require.NoError(t, err, "%s", text)
			more, err := again.JSON()
			require.NoError(t, err)
			assert.Equal(t, string(text), string(more), "JSON is a fixed point")
			assert.Empty(t, diff(l, again), "JSON means the same")
		})
	}
}

// TestJSONAndYAMLAreEqual reads the corpus in both syntaxes.
func TestJSONAndYAMLAreEqual(t *testing.T) {
	for path, data := range corpus(t) {
		t.Run(path, func(t *testing.T) {
			var v map[string]any
			require.NoError(t, yaml.Unmarshal(data, &v))
			text, err := json.MarshalIndent(v, "", "\t")
			require.NoError(t, err)

			fromYAML, err := config.Load(path, data, lenient(t))
			require.NoError(t, err)
			fromJSON, err := config.Load(path, text, lenient(t))
			require.NoError(t, err)
			assert.Empty(t, diff(fromYAML, fromJSON))
		})
	}
}

func TestCorpusWithOnlyHTTPBuilt(t *testing.T) {
	for path, data := range corpus(t) {
		t.Run(path, func(t *testing.T) {
			_, err := config.Load(path, data, declared(t))
			var ps config.Problems
			if !errors.As(err, &ps) {
				return
			}
			for _, p := range ps {
				assert.Contains(t, p.Message, "is known to Linkerd 1.x but this version of weft does not implement it yet")
				assert.NotContains(t, p.Message, `"http"`)
			}
		})
	}
}
