package child

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weft-mesh/weft/internal/testtool"
	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/standard"
)

// Weft is a `weft run`.
type Weft struct {
	*Process
	// Admin is the address of the admin server.
	Admin   string
	servers map[string][]string
}

// Run runs a configuration until the test ends and waits until it serves. Ports of 0
// are any free ones. Then the proxy is asked to end, and must, without an error.
func Run(tb testing.TB, yaml string, env ...string) *Weft {
	tb.Helper()
	validate(tb, yaml)
	path, err := testtool.Weft()
	if err != nil {
		tb.Fatalf("child: %v", err)
	}
	cmd := exec.Command(path, "run", "-") //nolint:noctx // it ends with the test
	cmd.Stdin = strings.NewReader(yaml)
	cmd.Env = append(cmd.Environ(), env...)
	w := &Weft{Process: Start(tb, "weft", cmd), servers: map[string][]string{}}
	w.Admin = w.Await(tb, `serving admin on http://(\S+)`)[1]
	for _, m := range regexp.MustCompile(`serving (\S+) \(\S+\) on (\S+)`).FindAllStringSubmatch(w.Output(), -1) {
		w.servers[m[1]] = append(w.servers[m[1]], m[2])
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("weft ran\n%s", yaml)
			return
		}
		select {
		case <-w.exited:
			tb.Errorf("weft has ended by itself: %v\n%s", w.err, w.out.tail(8<<10))
		default:
			if err := w.Stop(); err != nil {
				tb.Errorf("weft: %v\n%s", err, w.out.tail(64<<10))
			}
		}
	})
	return w
}

// validate makes a proxy of the configuration in this process. The child is built
// from the working tree, of which go test knows nothing: that all of a proxy is in
// the test, too, keeps go test from taking a result out of its cache that another
// proxy has given.
func validate(tb testing.TB, yaml string) {
	tb.Helper()
	reg, err := standard.Registry()
	if err != nil {
		tb.Fatalf("child: %v", err)
	}
	cfg, err := config.Load("test.yaml", []byte(yaml), config.Options{Registry: reg})
	if err != nil {
		tb.Fatalf("child: %v\n%s", err, yaml)
	}
	p, err := proxy.New(cfg, proxy.Options{})
	if err == nil {
		err = p.Close()
	}
	if err != nil {
		tb.Fatalf("child: %v\n%s", err, yaml)
	}
}

// Addr returns the host:port of the first server of a router.
func (w *Weft) Addr(tb testing.TB, label string) string {
	tb.Helper()
	return w.Addrs(tb, label)[0]
}

// Addrs returns the host:port of each server of a router.
func (w *Weft) Addrs(tb testing.TB, label string) []string {
	tb.Helper()
	if len(w.servers[label]) == 0 {
		tb.Fatalf("child: weft has no router %q:\n%s", label, w.Output())
	}
	return w.servers[label]
}

// Port returns the port of the first server of a router.
func (w *Weft) Port(tb testing.TB, label string) string {
	tb.Helper()
	_, port, err := net.SplitHostPort(w.Addr(tb, label))
	if err != nil {
		tb.Fatalf("child: %v", err)
	}
	return port
}

// Metrics returns the counters and gauges that /admin/metrics.json shows.
func (w *Weft) Metrics(tb testing.TB) map[string]float64 {
	tb.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(w.Page(tb, "/admin/metrics.json")), &all); err != nil {
		tb.Fatalf("child: metrics: %v", err)
	}
	numbers := map[string]float64{}
	for name, v := range all {
		if f, ok := v.(float64); ok {
			numbers[name] = f
		}
	}
	return numbers
}

// Goroutines returns the stack of each goroutine of the proxy.
func (w *Weft) Goroutines(tb testing.TB) []string {
	tb.Helper()
	return strings.Split(strings.TrimSpace(w.Page(tb, "/admin/threads")), "\n\n")
}

// Page returns a page of the admin server.
func (w *Weft) Page(tb testing.TB, path string) string {
	tb.Helper()
	var text strings.Builder
	w.Read(tb, path, &text)
	return text.String()
}

// Read reads a page of the admin server into out, and returns its size.
func (w *Weft) Read(tb testing.TB, path string, out io.Writer) int64 {
	tb.Helper()
	// A connection that is kept would be counted among the proxy's descriptors.
	client := &http.Client{Timeout: limit, Transport: &http.Transport{DisableKeepAlives: true, ReadBufferSize: 64 << 10}}
	resp, err := client.Get("http://" + w.Admin + path) //nolint:noctx // the client has a limit
	if err != nil {
		tb.Fatalf("child: admin: %v", err)
	}
	defer resp.Body.Close() //nolint:errcheck // it has been read
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		tb.Fatalf("child: GET %s: %d\n%s", path, resp.StatusCode, text)
	}
	n, err := io.Copy(out, resp.Body)
	if err != nil {
		tb.Fatalf("child: GET %s: %v", path, err)
	}
	return n
}

// Eventually polls until ok returns an empty text, and fails with the last one after
// the given time.
func Eventually(tb testing.TB, within time.Duration, problem func() string) {
	tb.Helper()
	for deadline := time.Now().Add(within); ; time.Sleep(5 * time.Millisecond) {
		text := problem()
		if text == "" {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatalf("still after %v: %s", within, text)
		}
	}
}
