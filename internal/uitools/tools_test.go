package uitools_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/weft-mesh/weft/internal/uitest"
)

func TestTools(t *testing.T) {
	w := newWorld(t)
	for _, script := range []string{"playground", "requests", "tapping", "logging", "namespaces"} {
		t.Run(script, func(t *testing.T) {
			uitest.Run(t, filepath.Join("tools", script+".test.mjs"), 4*time.Minute,
				"WEFT_PROXY_ADMIN="+w.proxyAdmin, "WEFT_MESH_ADMIN="+w.meshAdmin, "WEFT_NAMERD_ADMIN="+w.namerdAdmin, "WEFT_NAMERD_API="+w.namerdAPI,
				"WEFT_CLOSED_ADMIN="+w.closedAdmin, "WEFT_PROXY="+w.proxy, "WEFT_MESH="+w.mesh)
		})
	}
}
