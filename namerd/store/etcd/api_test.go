package etcd_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/apitest"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/etcd"
)

// TestAPI is the vectors of namerd's HTTP API over etcd.
func TestAPI(t *testing.T) {
	server := servers.StartEtcd(t)
	var n atomic.Int32
	apitest.Run(t, func(t *testing.T) namerd.Store {
		t.Helper()
		return open(t, etcd.Config{Endpoints: []string{server.URL}, PathPrefix: dtab.MustPath(fmt.Sprintf("/api/%d/dtabs", n.Add(1)))}, etcd.Options{})
	}, apitest.Options{})
}
