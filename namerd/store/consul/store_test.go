package consul_test

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/internal/storetest"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/consul"
)

// at returns c for the agent at an address.
func at(t *testing.T, addr string, c consul.Config) consul.Config {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	c.Host = host
	c.Port, err = strconv.Atoi(port)
	require.NoError(t, err)
	return c
}

func open(t *testing.T, c consul.Config, o consul.Options) *consul.Store {
	t.Helper()
	s, err := consul.New(c, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestContract(t *testing.T) {
	server := servers.StartConsul(t, servers.ConsulOptions{})
	storetest.Harness{
		Open: func(t *testing.T) namerd.Store {
			t.Helper()
			return open(t, at(t, server.Addr, consul.Config{}), consul.Options{Linger: 100 * time.Millisecond})
		},
		Restart: func(t *testing.T) {
			t.Helper()
			server.Kill()
			<-time.After(time.Second)
			server.Start()
		},
		// Row 120 of the specification.
		BadNamespaces:  []string{"", "%2e%2e", "b@dn@m35p@c3", "..", ".", "a/b", "/a", "a.b", "ü", "\xff", strings.Repeat("x", 401)},
		GoodNamespaces: []string{"a", "A_-0", "head", "00", "-", "_", strings.Repeat("x", 400)},
		Load:           storetest.Load{Handles: 2, Namespaces: 20, Writers: 200, Writes: 300},
	}.Run(t)
}
