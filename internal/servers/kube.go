package servers

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/weft-mesh/weft/internal/testtool"
)

// KubeAdmin is the token of a user who may do anything.
const KubeAdmin = "admin-token"

// KubeOptions says how an API server is run.
type KubeOptions struct {
	// RBAC has roles decide who may do what. Otherwise everybody with a token may do
	// anything.
	RBAC bool

	// Users are the names of users by their token, beside the administrator's.
	Users map[string]string

	// Flags are added to the command line.
	Flags []string
}

// Kube is an API server of Kubernetes on an etcd of its own, without controllers or
// nodes: nothing makes endpoints of services, slices of endpoints, or ends
// namespaces. It refuses endpoints on loopback addresses.
type Kube struct {
	*Server
	Etcd *Etcd

	// URL is where it serves, with the certificate in CAFile.
	URL, CAFile string

	tb     testing.TB
	client *http.Client
	kinds  map[string]resource // what discovery said, by apiVersion and kind
}

// StartKube starts an API server that ends with the test.
func StartKube(tb testing.TB, o KubeOptions) *Kube {
	tb.Helper()
	bin, dir, port := testtool.Get(tb, testtool.KubeAPIServer), tb.TempDir(), ports(tb, 1)[0]
	k := &Kube{
		Etcd: StartEtcd(tb), URL: "https://" + loopback(port), CAFile: filepath.Join(dir, "certs", "apiserver.crt"),
		tb: tb, kinds: map[string]resource{},
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}, //nolint:gosec // it was started here
	}
	tb.Cleanup(k.client.CloseIdleConnections)
	users := bytes.NewBufferString(KubeAdmin + ",admin,admin,system:masters\n")
	for _, token := range slices.Sorted(maps.Keys(o.Users)) {
		fmt.Fprintf(users, "%s,%[2]s,%[2]s\n", token, o.Users[token])
	}
	tokens, key := filepath.Join(dir, "tokens.csv"), filepath.Join(dir, "sa.key")
	writeFile(tb, tokens, users.Bytes())
	writeFile(tb, key, newKey(tb))
	mode := "AlwaysAllow"
	if o.RBAC {
		mode = "RBAC"
	}
	flags := append([]string{
		"--etcd-servers=" + k.Etcd.URL, fmt.Sprintf("--secure-port=%d", port), "--bind-address=127.0.0.1", "--advertise-address=10.77.0.1",
		"--cert-dir=" + filepath.Dir(k.CAFile), "--service-cluster-ip-range=10.96.0.0/16", "--token-auth-file=" + tokens,
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file=" + key, "--service-account-signing-key-file=" + key,
		"--authorization-mode=" + mode, "--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none", "--etcd-compaction-interval=0",
	}, o.Flags...)
	k.Server = start(tb, "kube-apiserver", func() *exec.Cmd {
		return exec.Command(bin, flags...) //nolint:noctx // it ends with the test
	}, func(ctx context.Context) error {
		status, body, err := k.send(ctx, http.MethodGet, "/readyz", "", nil)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("readyz: %d %s", status, body)
		}
		return err
	})
	return k
}

// Do sends a request as the administrator and returns the status and the answer.
func (k *Kube) Do(method, path string, body []byte) (status int, answer []byte) {
	k.tb.Helper()
	status, answer, err := k.send(k.tb.Context(), method, path, "application/json", body)
	if err != nil {
		k.tb.Fatalf("servers: %s %s: %v", method, path, err)
	}
	return status, answer
}

// Apply makes objects what the manifests say: YAML or JSON documents with
// apiVersion, kind and metadata. Objects without a namespace are in default.
func (k *Kube) Apply(manifests ...string) {
	k.tb.Helper()
	for _, text := range manifests {
		for dec := yaml.NewDecoder(strings.NewReader(text)); ; {
			var o map[string]any
			err := dec.Decode(&o)
			if errors.Is(err, io.EOF) {
				break
			}
			if err == nil && o != nil {
				err = k.apply(o)
			}
			if err != nil {
				k.tb.Fatalf("servers: %v in\n%s", err, text)
			}
		}
	}
}

// Delete deletes the object with that apiVersion, kind, namespace and name, if it is
// there.
func (k *Kube) Delete(apiVersion, kind, namespace, name string) {
	k.tb.Helper()
	path, err := k.path(apiVersion, kind, namespace, name)
	if err != nil {
		k.tb.Fatalf("servers: %v", err)
	}
	if status, answer := k.Do(http.MethodDelete, path, nil); status/100 != 2 && status != http.StatusNotFound {
		k.tb.Fatalf("servers: DELETE %s: %d %s", path, status, answer)
	}
}

// Compact makes etcd forget all but its present revision. What the API server
// remembers by itself it forgets when it is started again.
func (k *Kube) Compact() {
	k.tb.Helper()
	var now struct {
		Header struct {
			Revision string `json:"revision"`
		} `json:"header"`
	}
	answer := k.etcd("/v3/kv/range", `{"key":"AA=="}`)
	if err := json.Unmarshal(answer, &now); err != nil || now.Header.Revision == "" {
		k.tb.Fatalf("servers: etcd says %s", answer)
	}
	k.etcd("/v3/kv/compaction", fmt.Sprintf(`{"revision":%q,"physical":true}`, now.Header.Revision))
}

func (k *Kube) etcd(path, body string) []byte {
	k.tb.Helper()
	req, err := http.NewRequestWithContext(k.tb.Context(), http.MethodPost, k.Etcd.URL+path, strings.NewReader(body))
	if err != nil {
		k.tb.Fatalf("servers: %v", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		k.tb.Fatalf("servers: %v", err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		k.tb.Fatalf("servers: %s: %s %s %v", path, resp.Status, answer, err)
	}
	return answer
}

func (k *Kube) apply(o map[string]any) error {
	meta, _ := o["metadata"].(map[string]any)
	apiVersion, _ := o["apiVersion"].(string)
	kind, _ := o["kind"].(string)
	name, _ := meta["name"].(string)
	namespace, _ := meta["namespace"].(string)
	if namespace == "" {
		namespace = "default"
	}
	path, err := k.path(apiVersion, kind, namespace, name)
	if err != nil {
		return err
	}
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	status, answer, err := k.send(k.tb.Context(), http.MethodPatch, path+"?fieldManager=test&force=true", "application/apply-patch+yaml", body)
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("%s %s: %d %s", kind, name, status, answer)
	}
	return err
}

// resource is how the API calls a kind.
type resource struct {
	Name       string `json:"name"`
	Kind       string `json:"kind"`
	Namespaced bool   `json:"namespaced"`
}

// path returns the path of an object.
func (k *Kube) path(apiVersion, kind, namespace, name string) (string, error) {
	base := "/apis/" + apiVersion
	if !strings.Contains(apiVersion, "/") {
		base = "/api/" + apiVersion
	}
	r, ok := k.kinds[apiVersion+" "+kind]
	if !ok {
		status, answer, err := k.send(k.tb.Context(), http.MethodGet, base, "", nil)
		if err != nil || status != http.StatusOK {
			return "", fmt.Errorf("%s: %d %s %w", base, status, answer, err)
		}
		var list struct {
			Resources []resource `json:"resources"`
		}
		if err := json.Unmarshal(answer, &list); err != nil {
			return "", fmt.Errorf("%s: %w", base, err)
		}
		for _, found := range list.Resources {
			if found.Kind == kind && !strings.Contains(found.Name, "/") {
				r, ok = found, true
			}
		}
		if !ok {
			return "", fmt.Errorf("%s has no %s", base, kind)
		}
		k.kinds[apiVersion+" "+kind] = r
	}
	if r.Namespaced {
		base += "/namespaces/" + namespace
	}
	return base + "/" + r.Name + "/" + name, nil
}

func (k *Kube) send(ctx context.Context, method, path, kind string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, k.URL+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+KubeAdmin)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := k.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

func newKey(tb testing.TB) []byte {
	tb.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatalf("servers: %v", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
}

func writeFile(tb testing.TB, path string, text []byte) {
	tb.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		tb.Fatalf("servers: %v", err)
	}
}
