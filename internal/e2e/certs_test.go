package e2e_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/testcert"
)

// save writes a certificate and its key to files, the key first: then there is no
// moment at which the new certificate is read with the old key and kept.
func save(t *testing.T, p testcert.Pair, certPath, keyPath string) {
	t.Helper()
	write(t, keyPath, string(p.Key))
	write(t, certPath, string(p.Cert))
}

func unjson[T any](t *testing.T, text string) (v T) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &v), text)
	return v
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}
