package e2e_test

import (
	"crypto/tls"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/weft-mesh/weft/internal/portlock"
	"github.com/weft-mesh/weft/internal/testcert"
)

// notBuilt is the published configurations with parts that weft does not have yet, and
// what the refusal names.
func notBuilt() map[string]string {
	return map[string]string{
		"linkerd/thrift.yaml":    `protocol "thrift"`,
		"linkerd/thriftmux.yaml": `protocol "thriftmux"`,
	}
}

// TestCorpusStartsOffline runs every published configuration on a machine where none
// of the systems that it names answers: it starts, says pong within ten seconds and
// ends within ten seconds of being asked to.
func TestCorpusStartsOffline(t *testing.T) {
	const corpus = "../../proxy/config/testdata/corpus"
	seen := 0
	require.NoError(t, filepath.WalkDir(corpus, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(corpus, path)
		require.NoError(t, err)
		seen++
		t.Run(name, func(t *testing.T) { startsOffline(t, name, inConfigMap(t, readFile(t, path))) })
		return nil
	}))
	assert.GreaterOrEqual(t, seen, 38)
}

func startsOffline(t *testing.T, name, text string) {
	t.Helper()
	dir := lay(t, "corpus")
	// Directories that the configurations expect at the root of the file system.
	for _, abs := range []string{"/disco", "/io.buoyant/disco"} {
		text = strings.ReplaceAll(text, "rootDir: "+abs, "rootDir: "+filepath.Join(dir, "linkerd/examples/io.l5d.fs"))
	}
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "disco"), 0o755))
	text = strings.ReplaceAll(text, "/foo/", dir+"/foo/")
	certificates(t, dir)
	file := filepath.Join(dir, "config.yaml")
	write(t, file, text)

	if refused, ok := notBuilt()[name]; ok {
		p := start(t, dir, nil, "check", file)
		require.Error(t, p.wait(t))
		assert.Contains(t, p.stdout.String()+p.stderr.String(), refused)
		return
	}
	portlock.Acquire(t, ports(t, text)...)
	p := start(t, dir, []string{"POD_IP=10.1.2.3", "NODE_NAME=node-1", "POD_NAMESPACE=default"}, "run", file)
	admin := "http://127.0.0.1:9990"
	client := plain
	if name == "linkerd/admin-tls.yaml" {
		admin = "https://127.0.0.1:9990"
		client = &http.Client{Transport: &http.Transport{
			DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // a certificate of the test
		}}
	}
	if name == "linkerd/admin.yaml" { // which closes /admin/ping and /admin/shutdown
		p.eventually(t, limit, func() bool {
			r, err := get(admin + "/config.json").with(client)
			return err == nil && r.status == http.StatusOK
		}, "no page")
		require.Equal(t, http.StatusNotFound, do(t, get(admin+"/admin/ping")).status)
		require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
		require.NoError(t, p.wait(t))
		return
	}
	p.eventually(t, limit, func() bool {
		r, err := get(admin + "/admin/ping").with(client)
		return err == nil && r.body == "pong"
	}, "no pong")
	began := time.Now()
	r, err := request("POST", admin+"/admin/shutdown").with(client)
	require.NoError(t, err)
	require.Equal(t, "quitting\n", r.body)
	require.NoError(t, p.wait(t))
	assert.Less(t, time.Since(began), limit)
}

// inConfigMap returns the configuration in a published ConfigMap, or text itself if it
// is none.
func inConfigMap(t *testing.T, text string) string {
	t.Helper()
	if !regexp.MustCompile(`(?m)^kind: ConfigMap`).MatchString(text) {
		return text
	}
	var m struct {
		Data map[string]string `yaml:"data"`
	}
	require.NoError(t, yaml.NewDecoder(strings.NewReader(text)).Decode(&m))
	require.Len(t, m.Data, 1)
	for _, v := range m.Data {
		text = v
	}
	return text
}

// ports returns the ports that a configuration listens on.
func ports(t *testing.T, text string) []int {
	t.Helper()
	var c struct {
		Admin   struct{ Port int }
		Routers []struct{ Servers []struct{ Port int } }
	}
	require.NoError(t, yaml.Unmarshal([]byte(text), &c))
	all := []int{4140, 9990, c.Admin.Port}
	for _, r := range c.Routers {
		for _, s := range r.Servers {
			all = append(all, s.Port)
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(p int) bool { return p == 0 })
}

// certificates writes those that configurations name.
func certificates(t *testing.T, dir string) {
	t.Helper()
	ca := testcert.New(t, "ca", nil)
	pair := ca.Issue(t, "localhost")
	caFile := string(ca.PEM)
	for _, f := range []struct{ cert, key, ca string }{
		{"finagle/h2/src/e2e/resources/linkerd-tls-e2e-cert.pem", "finagle/h2/src/e2e/resources/linkerd-tls-e2e-key.pem", "finagle/h2/src/e2e/resources/cacert.pem"},
		{"foo/cert.pem", "foo/key.pem", "foo/caCert.pem"},
	} {
		write(t, filepath.Join(dir, f.ca), caFile)
		save(t, pair, filepath.Join(dir, f.cert), filepath.Join(dir, f.key))
	}
	write(t, filepath.Join(dir, "foo/ca-chain.pem"), caFile)
}
