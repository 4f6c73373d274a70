package k8s_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/weft-mesh/weft/internal/apitest"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/k8s"
)

// TestAPI is the vectors of namerd's HTTP API over a real API server.
func TestAPI(t *testing.T) {
	server := servers.StartKube(t, servers.KubeOptions{})
	define(t, server)
	var n atomic.Int32
	apitest.Run(t, func(t *testing.T) namerd.Store {
		t.Helper()
		ns := fmt.Sprintf("api-%d", n.Add(1))
		server.Apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: " + ns + "}\n")
		return open(t, k8s.Config{Access: access(server), Namespace: ns})
	}, apitest.Options{})
}
