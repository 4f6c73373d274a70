package testcert

import (
	"os"
	"path/filepath"
	"testing"
)

// Files are the paths of a certificate, its key (PKCS#8) and its authority's
// certificate, for programs that read them.
type Files struct{ Cert, Key, CA string }

// NewFiles writes a certificate for the given names, the first of which is its
// common name too, and its authority's, into a directory that ends with the test.
func NewFiles(tb testing.TB, names ...string) Files {
	tb.Helper()
	dir := tb.TempDir()
	root := New(tb, "root", nil)
	pair := root.Issue(tb, names[0], names...)
	f := Files{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "ca.pem")}
	for path, text := range map[string][]byte{f.Cert: pair.Cert, f.Key: pair.Key, f.CA: root.PEM} {
		must(tb, os.WriteFile(path, text, 0o600))
	}
	return f
}

// Pair returns what is in the files.
func (f Files) Pair(tb testing.TB) Pair {
	tb.Helper()
	cert, err := os.ReadFile(f.Cert)
	must(tb, err)
	key, err := os.ReadFile(f.Key)
	must(tb, err)
	return Pair{cert, key}
}
