package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if dir := binDir; dir != "" {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// binDir is where the binary is built, for TestMain to remove.
var binDir string

// binary builds cmd/weft, once per test run, and returns its path.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "weft-e2e-")
	if err != nil {
		return "", err
	}
	binDir = dir
	path := filepath.Join(dir, "weft")
	out, err := exec.Command("go", "build", "-pgo=off", "-o", path, "github.com/weft-mesh/weft/cmd/weft").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building weft: %w\n%s", err, out)
	}
	return path, nil
})
