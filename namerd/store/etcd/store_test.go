package etcd_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/internal/storetest"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/etcd"
)

func open(t *testing.T, c etcd.Config, o etcd.Options) *etcd.Store {
	t.Helper()
	s, err := etcd.New(c, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestContract(t *testing.T) {
	server := servers.StartEtcd(t)
	storetest.Harness{
		Open: func(t *testing.T) namerd.Store {
			t.Helper()
			return open(t, etcd.Config{Endpoints: []string{server.URL}}, etcd.Options{Linger: 100 * time.Millisecond})
		},
		Restart: func(t *testing.T) {
			t.Helper()
			server.Kill()
			<-time.After(time.Second)
			server.Start()
		},
		BadNamespaces:  []string{"", "\xff", strings.Repeat("x", 1025)},
		GoodNamespaces: []string{"a/b", "a", "a/", "/a", "..", "%2e%2e", "b@dn@m35p@c3", "ü ☃\n", strings.Repeat("x", 1024), "head", "00"},
		Load:           storetest.Load{Handles: 2, Namespaces: 10, Writers: 200, Writes: 400},
	}.Run(t)
}
