package uitest_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/weft-mesh/weft/internal/uitest"
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

// drive runs a script of proxy/admin/ui/test/browser against a stub.
func drive(t *testing.T, script string, s *stub) {
	t.Helper()
	uitest.Run(t, filepath.Join("browser", script), 8*time.Minute, "WEFT_UI="+s.url, "WEFT_UI_CONTROL="+s.control)
}
