package realclients_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/child"
	"github.com/weft-mesh/weft/internal/origin"
	"github.com/weft-mesh/weft/internal/testtool"
)

// page reports into its own document. Chromium prints the document once everything
// has been loaded, which the picture prevents until the script has asked for its
// release.
const page = `<!doctype html><title>weft</title><dl id=report></dl><img src="hold">
<script>
const report = (name, text) => {
  document.getElementById('report').insertAdjacentHTML('beforeend', '<dt>' + name + '</dt><dd>' + text + '</dd>');
};
const hex = b => [...new Uint8Array(b)].map(x => x.toString(16).padStart(2, '0')).join('');
const sha = async b => hex(await crypto.subtle.digest('SHA-256', b));
const socket = () => new Promise((done, failed) => {
  const ws = new WebSocket(location.href.replace('http', 'ws').replace('page', 'ws'), 'echo');
  const got = [];
  ws.onopen = () => { ws.send('shuttle'); ws.send('x'.repeat(300000)); };
  ws.onmessage = m => {
    got.push(m.data.length < 100 ? m.data : m.data.length);
    if (got.length == 2) ws.close(4321, 'enough');
  };
  ws.onclose = c => done(got.join(' ') + ' ' + ws.protocol + ' ' + c.code);
  ws.onerror = () => failed('socket failed');
});
(async () => {
  report('protocol', performance.getEntriesByType('navigation')[0].nextHopProtocol);
  const bodies = await Promise.all([...Array(20).keys()].map(async () => (await fetch('pattern?seed=12&size=3145737')).arrayBuffer()));
  const hashes = new Set(await Promise.all(bodies.map(sha)));
  report('downloads', bodies.length + ' ' + [...hashes].join(' '));
  const sent = await fetch('check?seed=12&size=3145737', { method: 'POST', body: bodies[0] });
  report('upload', sent.status + ' ' + (await sent.text()).trim());
  if (location.search == '?socket') report('socket', await socket());
})().catch(e => report('error', e)).finally(() => fetch('release'));
</script>`

// withPage adds the page to what an origin serves.
func withPage() http.Handler {
	release := make(chan struct{}, 1)
	mux := http.NewServeMux()
	mux.Handle("/", origin.Handler())
	mux.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, page)
	})
	mux.HandleFunc("/hold", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/release", func(http.ResponseWriter, *http.Request) { release <- struct{}{} })
	return mux
}

func TestChromium(t *testing.T) {
	child.Heavy(t)
	t.Parallel()
	tool := testtool.Installed(t, "chromium", "chromium")
	rows := []struct {
		name, protocol, path string
		secure               bool
		spoken               string // by the page
	}{
		{"WebSocket in cleartext", "http", "page?socket", false, "http/1.1"},
		{"page over HTTP/2", "h2", "page", true, "h2"},
		{"page over HTTP/2 and WebSocket", "http", "page?socket", true, "h2"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			backend := origin.Serve(t, withPage(), nil)
			r := child.Router{Protocol: row.protocol, To: backend.Port}
			scheme := "http"
			if row.secure {
				scheme, r.Server = "https", child.ServerTLS(newFiles(t))
			}
			w := child.Run(t, child.Config(r))
			out, stderr, err := command(t, tool, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
				"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+t.TempDir(),
				"--ignore-certificate-errors", "--timeout=40000", "--dump-dom", scheme+"://"+w.Addr(t, row.protocol)+"/"+row.path)
			require.NoError(t, err, stderr)
			report := map[string]string{}
			for _, m := range regexp.MustCompile(`<dt>(\w+)</dt><dd>(.*?)</dd>`).FindAllStringSubmatch(out, -1) {
				report[m[1]] = m[2]
			}
			sum := sha256.Sum256(download().Bytes())
			want := map[string]string{
				"protocol":  row.spoken,
				"downloads": "20 " + hex.EncodeToString(sum[:]),
				"upload":    "200 3145737 bytes are right",
			}
			if row.path == "page?socket" {
				want["socket"] = "shuttle 300000 echo 4321"
			}
			assert.Equal(t, want, report, "%s\n%s", out, stderr)
		})
	}
}
