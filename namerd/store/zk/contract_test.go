package zk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/internal/storetest"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/zk"
)

// open returns a store that is closed with the test.
func open(t *testing.T, c zk.Config) *zk.Store {
	t.Helper()
	s, err := zk.New(c, zk.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestContract(t *testing.T) {
	server := servers.StartZooKeeper(t)
	storetest.Harness{
		Open: func(t *testing.T) namerd.Store { return open(t, zk.Config{Addrs: []string{server.Addr}}) },
		Restart: func(t *testing.T) {
			t.Helper()
			server.Kill()
			time.Sleep(500 * time.Millisecond)
			server.Start()
		},
		BadNamespaces:  []string{"", ".", "..", "a/b", "/a", "a\x00", "a\nb", "\xff"},
		GoodNamespaces: []string{"...", "A_b-c.d", "a b", "zookeeper", "Ünïcode", "a%2fb", "dtabs-history"},
		Load:           storetest.Load{Handles: 2, Namespaces: 10, Writers: 300, Writes: 600},
	}.Run(t)
}
