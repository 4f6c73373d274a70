package uitest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/testtool"
)

// Run runs a script of proxy/admin/ui/test with a real Chromium, and fails t if it does.
// Env is what the script is told beside where Chromium is. Pictures go where WEFT_SHOTS
// says, for a person to look at.
func Run(t *testing.T, script string, limit time.Duration, env ...string) {
	t.Helper()
	node := testtool.Installed(t, "node", "nodejs npm")
	chromium := testtool.Installed(t, "chromium", "chromium")
	ui := modules(t)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "--test", "--test-reporter=spec", filepath.Join("test", script))
	cmd.Dir = ui
	cmd.Env = append(append(os.Environ(), "WEFT_UI_CHROMIUM="+chromium), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // for Playwright to end Chromium
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err)
}

// modules returns the folder of the pages' sources, with what npm installs in it. Tests of
// several packages may want it at once.
func modules(t *testing.T) string {
	t.Helper()
	root, err := testtool.Root()
	require.NoError(t, err)
	ui := filepath.Join(root, "proxy", "admin", "ui")
	unlock, err := testtool.Lock(filepath.Join(os.TempDir(), "weft-ui-modules.lock"))
	require.NoError(t, err)
	defer unlock()
	// npm writes this file last.
	if _, err := os.Stat(filepath.Join(ui, "node_modules", ".package-lock.json")); err == nil {
		return ui
	}
	npm := testtool.Installed(t, "npm", "npm")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, npm, "ci", "--no-audit", "--no-fund")
	cmd.Dir = ui
	if out, err := cmd.CombinedOutput(); err != nil {
		testtool.Missing(t, "npm ci in %s: %v\n%s", ui, err, out)
	}
	return ui
}
