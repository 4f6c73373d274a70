package k8s

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func env(kv map[string]string) func(string) string { return func(k string) string { return kv[k] } }

const kubeconfigText = `apiVersion: v1
kind: Config
current-context: one
clusters:
- {name: c1, cluster: {server: "https://10.0.0.1:6443"}}
- {name: c2, cluster: {server: "https://10.0.0.2:6443"}}
users:
- {name: u, user: {token: secret}}
contexts:
- {name: one, context: {cluster: c1, user: u}}
- {name: two, context: {cluster: c2, user: u}}
`

func TestAccess(t *testing.T) {
	pod, home := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(pod, "token"), []byte("t"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(pod, "ca.crt"), []byte("c"), 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(home, ".kube"), 0o700))
	file := filepath.Join(home, ".kube", "config")
	require.NoError(t, os.WriteFile(file, []byte(kubeconfigText), 0o600))
	inPod := map[string]string{"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443", "HOME": home}
	for _, row := range []struct {
		name string
		env  map[string]string
		a    Access
		host string
		err  string
	}{
		{"kubectl proxy", nil, Access{Port: 8002}, "http://localhost:8002", ""},
		{"kubectl proxy elsewhere", inPod, Access{Host: "proxy"}, "http://proxy:8001", ""},
		{"no port in Host", nil, Access{Host: "proxy", Port: 80}, "http://proxy", ""},
		{"in a pod", inPod, Access{}, "https://[fd00::1]:443", ""},
		{"outside", map[string]string{"HOME": home}, Access{}, "https://10.0.0.1:6443", ""},
		{"outside, with KUBECONFIG", map[string]string{"KUBECONFIG": file}, Access{}, "https://10.0.0.1:6443", ""},
		{"a context", inPod, Access{Context: "two"}, "https://10.0.0.2:6443", ""},
		{"a file", inPod, Access{Kubeconfig: file}, "https://10.0.0.1:6443", ""},
		{"a URL", inPod, Access{URL: "https://k:1/base"}, "https://k:1/base", ""},
		{"nothing", map[string]string{"HOME": pod}, Access{}, "", "k8s: no API server is known: this is no pod of a cluster, and there is no kubeconfig in [" + pod + "/.kube/config]"},
		{"no such context", inPod, Access{Context: "three"}, "", "k8s: kubeconfig: invalid configuration: [context was not found for specified context: three, cluster has no server defined]"},
		{"no such file", inPod, Access{Kubeconfig: "/none"}, "", "k8s: kubeconfig: stat /none: no such file or directory"},
		{"two at once", nil, Access{Host: "a", URL: "https://b"}, "", "k8s: of Host or Port, URL, and Kubeconfig or Context only one may be set"},
		{"a bad port", nil, Access{Port: 70000}, "", "k8s: port 70000: must be a number from 1 to 65535"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := surroundings{getenv: env(row.env), serviceAccount: pod}.config(row.a)
			if row.err != "" {
				require.EqualError(t, err, row.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, row.host, c.Host)
		})
	}
	c, err := surroundings{getenv: env(inPod), serviceAccount: pod}.config(Access{})
	require.NoError(t, err)
	assert.Equal(t, []string{filepath.Join(pod, "token"), filepath.Join(pod, "ca.crt")}, []string{c.BearerTokenFile, c.CAFile})
}

func TestConstructorsSayWhatIsWrong(t *testing.T) {
	plain := Access{Host: "localhost"}
	_, err := NewNamespaced(Config{Access: plain}, Options{Getenv: env(nil)})
	require.EqualError(t, err, "k8s: envVar: the environment variable POD_NAMESPACE must hold the namespace, and is not set")
	_, err = NewNamespaced(Config{Access: plain, EnvVar: "NS"}, Options{Getenv: env(map[string]string{"NS": "A/b"})})
	require.EqualError(t, err, `k8s: envVar: NS is "A/b", which is not the name of a namespace`)
	_, err = NewConfigMapDtab(ConfigMapConfig{Access: plain, Name: "x"}, Options{})
	require.EqualError(t, err, "k8s: name and filename: are required")
	_, err = NewConfigMapDtab(ConfigMapConfig{Access: plain, Name: "x", Filename: "y", Namespace: "../.."}, Options{})
	require.EqualError(t, err, `k8s: namespace: "../.." is not the name of a namespace`)
	_, err = NewIngresses(IngressConfig{Access: plain, Namespace: "?"}, Options{})
	require.EqualError(t, err, `k8s: namespace: "?" is not the name of a namespace`)
	_, err = NewClient(Access{URL: "ftp://x"}, Options{})
	require.EqualError(t, err, `k8s: "ftp://x" is not the URL of an API server, such as https://10.0.0.1:6443`)
	_, err = NewClient(Access{URL: "https://x", CAFile: "/none"}, Options{})
	require.ErrorContains(t, err, "/none")
}

func TestAClientMayBeShared(t *testing.T) {
	c, err := NewClient(Access{Host: "127.0.0.1", Port: 1}, Options{})
	require.NoError(t, err)
	a, err := New(Config{}, Options{Client: c})
	require.NoError(t, err)
	require.NoError(t, a.Close())
	require.NoError(t, a.Close(), "twice")
	assert.NoError(t, c.ctx.Err(), "its maker closes it")
	require.NoError(t, c.Close())
}

func TestATokenFileIsReadForEachRequest(t *testing.T) {
	var got string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("Authorization") }))
	defer s.Close()
	defer http.DefaultClient.CloseIdleConnections()
	file := filepath.Join(t.TempDir(), "token")
	client := &http.Client{Transport: tokenFile{path: file, base: http.DefaultTransport}}
	for _, row := range []struct{ text, want string }{{"one\n", "Bearer one"}, {"two", "Bearer two"}} {
		require.NoError(t, os.WriteFile(file, []byte(row.text), 0o600))
		resp, err := client.Get(s.URL)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, row.want, got)
	}
	require.NoError(t, os.WriteFile(file, []byte("\n"), 0o600))
	_, err := client.Get(s.URL)
	require.ErrorContains(t, err, file+" is empty")
	require.NoError(t, os.Remove(file))
	_, err = client.Get(s.URL)
	require.ErrorContains(t, err, "reading the token")
}
