package consul_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/apitest"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/consul"
)

// TestAPI is the vectors of namerd's HTTP API over Consul.
func TestAPI(t *testing.T) {
	server := servers.StartConsul(t, servers.ConsulOptions{})
	var n atomic.Int32
	apitest.Run(t, func(t *testing.T) namerd.Store {
		t.Helper()
		prefix := dtab.MustPath(fmt.Sprintf("/api/%d/dtabs", n.Add(1)))
		return open(t, at(t, server.Addr, consul.Config{PathPrefix: prefix}), consul.Options{})
	}, apitest.Options{})
}
