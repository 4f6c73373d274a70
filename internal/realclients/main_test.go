package realclients_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/child"
	"github.com/weft-mesh/weft/internal/origin"
	"github.com/weft-mesh/weft/internal/testcert"
)

// serverName is what certificates are for.
const serverName = "server.test"

func newFiles(t *testing.T) testcert.Files {
	t.Helper()
	return testcert.NewFiles(t, serverName)
}

// world is a proxy with a server of each sort, all in front of one origin.
type world struct {
	weft    *child.Weft
	origin  *origin.Server
	files   testcert.Files
	secured *origin.Server // with TLS
}

func newWorld(t *testing.T, routers ...child.Router) *world {
	t.Helper()
	f := newFiles(t)
	w := &world{
		files: f, origin: origin.Serve(t, nil, nil),
		secured: origin.Serve(t, nil, f.Pair(t).Config(t)),
	}
	for i := range routers {
		switch routers[i].To {
		case "":
			routers[i].To = w.origin.Port
		case "secured":
			routers[i].To = w.secured.Port
		}
		switch routers[i].Server {
		case "tls":
			routers[i].Server = child.ServerTLS(f)
		}
		switch routers[i].Client {
		case "tls":
			routers[i].Client = child.ClientTLS(f, serverName)
		}
	}
	w.weft = child.Run(t, child.Config(routers...))
	return w
}

// command runs a program for at most a minute and returns its outputs.
func command(t *testing.T, path string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.WaitDelay = 5 * time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// body writes a Pattern into a file.
func body(t *testing.T, p origin.Pattern) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "body")
	require.NoError(t, os.WriteFile(path, p.Bytes(), 0o600))
	return path
}
