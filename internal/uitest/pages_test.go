package uitest_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/testtool"
	"github.com/weft-mesh/weft/proxy/admin"
)

func TestDashboard(t *testing.T) {
	drive(t, "dashboard.mjs", serve(t, 12, "", admin.Security{}))
}

func TestManyServices(t *testing.T) {
	drive(t, "many.mjs", serve(t, 500, "", admin.Security{}))
}

func TestBehindAPrefix(t *testing.T) {
	drive(t, "prefix.mjs", serve(t, 3, "/mesh/admin-1", admin.Security{}))
}

func TestClosedPagesAreNotAskedFor(t *testing.T) {
	drive(t, "closed.mjs", serve(t, 3, "", admin.Security{NoDiagnostics: true, NoControl: true}))
}

// drive runs a script of proxy/admin/ui/test/browser against a stub. Pictures go where
// WEFT_SHOTS says, for a person to look at.
func drive(t *testing.T, script string, s *stub) {
	t.Helper()
	node := testtool.Installed(t, "node", "nodejs npm")
	chromium := testtool.Installed(t, "chromium", "chromium")
	ui := modules(t)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "--test", "--test-reporter=spec", filepath.Join(ui, "test", "browser", script))
	cmd.Dir = ui
	cmd.Env = append(os.Environ(), "WEFT_UI="+s.url, "WEFT_UI_CONTROL="+s.control, "WEFT_UI_CHROMIUM="+chromium)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // for Playwright to end Chromium
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err)
}

// modules returns the folder of the pages' sources, with what npm installs in it.
func modules(t *testing.T) string {
	t.Helper()
	root, err := testtool.Root()
	require.NoError(t, err)
	ui := filepath.Join(root, "proxy", "admin", "ui")
	if _, err := os.Stat(filepath.Join(ui, "node_modules", "playwright-core")); err == nil {
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
