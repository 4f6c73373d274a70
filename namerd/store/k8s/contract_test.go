package k8s_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/internal/storetest"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/k8s"
	kube "github.com/weft-mesh/weft/naming/k8s"
)

// limit is how long something may take to happen on a busy machine.
const limit = 30 * time.Second

// manifest is the definition of the kind, as users apply it.
func manifest(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../../deploy/kubernetes/dtab-crd.yaml")
	require.NoError(t, err)
	return string(text)
}

// define makes the kind known and waits until it can be used.
func define(t *testing.T, server *servers.Kube) {
	t.Helper()
	server.Apply(manifest(t))
	await(t, func() bool {
		status, _ := server.Do("GET", "/apis/l5d.io/v1alpha1/namespaces/default/dtabs", nil)
		return status == 200
	})
}

// await waits for something to be so.
func await(t *testing.T, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, limit, 5*time.Millisecond)
}

func access(server *servers.Kube) *kube.Access {
	return &kube.Access{URL: server.URL, CAFile: server.CAFile, Token: servers.KubeAdmin}
}

// open returns a store that is closed with the test.
func open(t *testing.T, c k8s.Config) *k8s.Store {
	t.Helper()
	s, err := k8s.New(c, k8s.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestContract(t *testing.T) {
	server := servers.StartKube(t, servers.KubeOptions{})
	define(t, server)
	storetest.Harness{
		Open: func(t *testing.T) namerd.Store {
			t.Helper()
			return open(t, k8s.Config{Access: access(server)})
		},
		Restart: func(t *testing.T) {
			t.Helper()
			server.Kill()
			time.Sleep(500 * time.Millisecond)
			server.Start()
		},
		BadNamespaces: []string{
			"", ".", "..", "a/b", "A", "a_b", "-a", "a-", "a.", ".a", "a..b", "a.-b", "a-.b", "ä", "a b", "a,b", strings.Repeat("a", 254),
		},
		GoodNamespaces:     []string{"0", "a.b", "1-2.3", strings.Repeat("a", 253)},
		DeletedWithHistory: true,
		History:            10,
		Many:               100,
		Steps:              15,
		Runs:               10,
		Load:               storetest.Load{Handles: 2, Namespaces: 10, Writers: 300, Writes: 300},
	}.Run(t)
}
