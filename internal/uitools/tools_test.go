package uitools_test

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

func TestTools(t *testing.T) {
	node := testtool.Installed(t, "node", "nodejs npm")
	chromium := testtool.Installed(t, "chromium", "chromium")
	ui := modules(t)
	w := newWorld(t)
	for _, script := range []string{"playground", "requests", "tapping", "logging", "namespaces"} {
		t.Run(script, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, node, "--test", "--test-reporter=spec", filepath.Join("test", "tools", script+".test.mjs"))
			cmd.Dir = ui
			// Pictures go where WEFT_SHOTS says, for a person to look at.
			cmd.Env = append(os.Environ(), "WEFT_UI_CHROMIUM="+chromium, "WEFT_PROXY_ADMIN="+w.proxyAdmin, "WEFT_MESH_ADMIN="+w.meshAdmin,
				"WEFT_NAMERD_ADMIN="+w.namerdAdmin, "WEFT_CLOSED_ADMIN="+w.closedAdmin, "WEFT_PROXY="+w.proxy, "WEFT_MESH="+w.mesh)
			cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // for Playwright to end Chromium
			cmd.WaitDelay = 10 * time.Second
			out, err := cmd.CombinedOutput()
			t.Logf("%s", out)
			require.NoError(t, err)
		})
	}
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
