package uitest_test

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/cmd/weft/demo"
	"github.com/weft-mesh/weft/internal/child"
	"github.com/weft-mesh/weft/internal/testtool"
	"github.com/weft-mesh/weft/internal/uitest"
)

// TestDemo drives every page of what people start first: weft demo, on free ports, with
// its own applications and its own traffic.
func TestDemo(t *testing.T) {
	weft, err := testtool.Weft()
	require.NoError(t, err)
	p := child.Start(t, "weft demo", exec.Command(weft, "demo",
		"--outgoing-port=0", "--incoming-port=0", "--admin-port=0", "--namerd-port=0", "--namerd-admin-port=0"))
	proxy := p.Await(t, `http_proxy=(\S+) curl http://hello`)[1]
	admin := p.Await(t, `dashboard (http://\S+/),`)[1]
	namerd := p.Await(t, `(http://\S+/)dtab/`+demo.Namespace)[1]
	p.Await(t, "Ctrl-C ends the demo")
	uitest.Run(t, filepath.Join("browser", "demo.mjs"), 8*time.Minute,
		"WEFT_UI="+admin, "WEFT_UI_NAMERD="+namerd, "WEFT_UI_PROXY=http://"+proxy,
		"WEFT_UI_NAMESPACE="+demo.Namespace, "WEFT_UI_OVERRIDE="+demo.Override)
	require.NoError(t, p.Stop())
}
