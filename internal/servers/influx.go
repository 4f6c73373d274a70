package servers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/weft-mesh/weft/internal/testtool"
)

// InfluxDB is a running InfluxDB 1.x without authentication.
type InfluxDB struct {
	*Server
	// URL is where its HTTP API is, http://127.0.0.1:PORT.
	URL string
}

// StartInfluxDB starts an InfluxDB whose data lives as long as the test.
func StartInfluxDB(tb testing.TB) *InfluxDB {
	tb.Helper()
	bin, dir, p := testtool.Installed(tb, "influxd", "influxdb"), tb.TempDir(), ports(tb, 2)
	file := filepath.Join(dir, "influxdb.conf")
	text := fmt.Sprintf(`reporting-disabled = true
bind-address = %q
[meta]
  dir = %q
[data]
  dir = %q
  wal-dir = %q
[http]
  bind-address = %q
  log-enabled = false
`, loopback(p[0]), filepath.Join(dir, "meta"), filepath.Join(dir, "data"), filepath.Join(dir, "wal"), loopback(p[1]))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		tb.Fatalf("servers: %v", err)
	}
	i := &InfluxDB{URL: "http://" + loopback(p[1])}
	command := func() *exec.Cmd {
		return exec.Command(bin, "run", "-config", file) //nolint:noctx // it ends with the test
	}
	i.Server = start(tb, "influxd", command, func(ctx context.Context) error {
		return get(ctx, i.URL+"/query?q=SHOW+DATABASES", `"results"`)
	})
	return i
}
