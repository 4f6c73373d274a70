package zk_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/weft-mesh/weft/internal/apitest"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/zk"
)

// TestAPI is the vectors of namerd's HTTP API over ZooKeeper.
func TestAPI(t *testing.T) {
	server := servers.StartZooKeeper(t)
	var n atomic.Int32
	apitest.Run(t, func(t *testing.T) namerd.Store {
		t.Helper()
		return open(t, zk.Config{Addrs: []string{server.Addr}, PathPrefix: fmt.Sprintf("/api%d", n.Add(1))})
	}, apitest.Options{})
}
